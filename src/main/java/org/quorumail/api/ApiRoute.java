package org.quorumail.api;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** One operation of the API: its path, its access and its handler. Knows no transport. */
record ApiRoute(String method, String pattern, Access access, Handler handler) {
  /** The access that an operation allows. */
  enum Access {
    /** Any client that reaches the port: probes. */
    PROBE,
    /** Clients with a token; on this host all, when the node has no token. */
    READ,
    /** Clients with the token that changes, or the control socket. */
    WRITE,
    /** Clients with a token that injects or changes, or the control socket: messages. */
    INJECT,
    /** The control socket only. */
    OPERATOR
  }

  @FunctionalInterface
  interface Handler {
    ApiResponse handle(ApiRequest request);
  }

  /** Whether the operation changes something, as far as its access and method show. */
  boolean changes() {
    return !method.equals("GET") && (access == Access.WRITE || access == Access.OPERATOR);
  }

  /** The name of the operation: method and pattern. */
  String operation() {
    return method + " " + pattern;
  }

  /** The same operation with another handler. */
  ApiRoute with(Handler other) {
    return new ApiRoute(method, pattern, access, other);
  }

  /** The variables of a path that fits the pattern ({@code /api/queue/{id}}). */
  Optional<Map<String, String>> matchPath(String path) {
    String[] expected = pattern.split("/", -1);
    String[] actual = path.split("/", -1);
    if (expected.length != actual.length) return Optional.empty();
    Map<String, String> variables = new HashMap<>();
    for (int i = 0; i < expected.length; i++) {
      if (expected[i].startsWith("{")) {
        if (actual[i].isEmpty()) return Optional.empty();
        variables.put(expected[i].substring(1, expected[i].length() - 1), actual[i]);
      } else if (!expected[i].equals(actual[i])) {
        return Optional.empty();
      }
    }
    return Optional.of(variables);
  }
}
