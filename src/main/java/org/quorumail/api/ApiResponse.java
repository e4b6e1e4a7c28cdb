package org.quorumail.api;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/** The answer to a {@link ApiRequest}. Refusals are problem documents, RFC 9457. */
record ApiResponse(int status, String contentType, byte[] body, Map<String, String> headers) {
  static ApiResponse json(Object value) {
    return json(200, value);
  }

  static ApiResponse json(int status, Object value) {
    return new ApiResponse(status, "application/json", Json.bytes(value), Map.of());
  }

  static ApiResponse text(String contentType, String text) {
    return new ApiResponse(200, contentType, text.getBytes(StandardCharsets.UTF_8), Map.of());
  }

  /**
   * @param detail one sentence for a person, without paths of files or stack traces
   */
  static ApiResponse problem(int status, String title, String detail) {
    byte[] body = Json.bytes(new ProblemDocument("about:blank", title, status, detail));
    return new ApiResponse(status, "application/problem+json", body, Map.of());
  }

  static ApiResponse notFound(String detail) {
    return problem(404, "Not Found", detail);
  }

  static ApiResponse badRequest(String detail) {
    return problem(400, "Bad Request", detail);
  }

  ApiResponse withHeader(String name, String value) {
    Map<String, String> all = new HashMap<>(headers);
    all.put(name, value);
    return new ApiResponse(status, contentType, body, all);
  }

  record ProblemDocument(String type, String title, int status, String detail) {}
}
