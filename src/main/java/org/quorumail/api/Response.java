package org.quorumail.api;

import java.nio.charset.StandardCharsets;
import java.util.Map;

/** The answer to a {@link Request}. Refusals are problem documents, RFC 9457. */
record Response(int status, String contentType, byte[] body, Map<String, String> headers) {
  static Response json(Object value) {
    return json(200, value);
  }

  static Response json(int status, Object value) {
    return new Response(status, "application/json", Json.bytes(value), Map.of());
  }

  static Response text(String contentType, String text) {
    return new Response(200, contentType, text.getBytes(StandardCharsets.UTF_8), Map.of());
  }

  /**
   * @param detail one sentence for a person, without paths of files or stack traces
   */
  static Response problem(int status, String title, String detail) {
    byte[] body = Json.bytes(new ProblemDocument("about:blank", title, status, detail));
    return new Response(status, "application/problem+json", body, Map.of());
  }

  static Response notFound(String detail) {
    return problem(404, "Not Found", detail);
  }

  static Response badRequest(String detail) {
    return problem(400, "Bad Request", detail);
  }

  Response withHeader(String name, String value) {
    return new Response(status, contentType, body, Map.of(name, value));
  }

  record ProblemDocument(String type, String title, int status, String detail) {}
}
