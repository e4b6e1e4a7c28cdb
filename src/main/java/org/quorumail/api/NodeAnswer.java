package org.quorumail.api;

import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/** The answer of another node to a call of its API: a status as in HTTP, and JSON. */
public record NodeAnswer(int status, byte[] body) {
  static final int OK = 200;
  static final int NOT_FOUND = 404;

  static final int UNAVAILABLE = 503;

  /** The answer is longer than a call carries: a request for less may succeed. */
  public static final int TOO_LONG = 413;

  public boolean isSuccess() {
    return status >= OK && status < 300;
  }

  /** The body as a record; empty when it is none, as another release may send. */
  public <T> Optional<T> read(Class<T> type) {
    try {
      return Optional.ofNullable(Json.mapper().readValue(body, type));
    } catch (JacksonException e) {
      return Optional.empty();
    }
  }

  Optional<JsonNode> json() {
    return read(JsonNode.class);
  }
}
