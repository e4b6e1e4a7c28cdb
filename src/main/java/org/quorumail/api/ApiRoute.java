package org.quorumail.api;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** One operation of the API: who may call it and what it does. Knows no transport. */
record ApiRoute(String method, String pattern, Access access, Handler handler) {
  /** Who may call. */
  enum Access {
    /** Anyone who reaches the port: probes. */
    PROBE,
    /** This host, or the token. */
    READ,
    /** The token, or the control socket. */
    WRITE,
    /** The control socket only. */
    OPERATOR
  }

  @FunctionalInterface
  interface Handler {
    ApiResponse handle(ApiRequest request);
  }

  /** The variables of a path that fits the pattern ({@code /api/queue/{id}}). */
  Optional<Map<String, String>> matchPath(String path) {
    String[] expected = pattern.split("/", -1);
    String[] given = path.split("/", -1);
    if (expected.length != given.length) return Optional.empty();
    Map<String, String> variables = new HashMap<>();
    for (int i = 0; i < expected.length; i++) {
      if (expected[i].startsWith("{")) {
        if (given[i].isEmpty()) return Optional.empty();
        variables.put(expected[i].substring(1, expected[i].length() - 1), given[i]);
      } else if (!expected[i].equals(given[i])) {
        return Optional.empty();
      }
    }
    return Optional.of(variables);
  }
}
