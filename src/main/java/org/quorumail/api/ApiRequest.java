package org.quorumail.api;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A call of the API, whatever it came through.
 *
 * @param path decoded, without query
 * @param query every value of each parameter
 * @param variables the parts of the path that the route's pattern names
 */
record ApiRequest(
    String method,
    String path,
    Map<String, List<String>> query,
    Map<String, String> variables,
    byte[] body,
    Caller caller) {

  /** Larger bodies are refused with 413: nothing that this API takes is long. */
  static final int MAX_BODY = 64 << 10;

  /** Who calls, by what the transport could prove. */
  enum Caller {
    /** Through the control socket, same user. */
    OPERATOR,
    /** By HTTP with the token. */
    TOKEN,
    /** By HTTP with a wrong token. */
    WRONG_TOKEN,
    /** By HTTP from this host, without a token. */
    LOOPBACK,
    /** By HTTP from elsewhere, without a token. */
    REMOTE
  }

  ApiRequest withVariables(Map<String, String> pathVariables) {
    return new ApiRequest(method, path, query, pathVariables, body, caller);
  }

  String variable(String name) {
    return variables.getOrDefault(name, "");
  }

  Optional<String> parameter(String name) {
    List<String> values = query.getOrDefault(name, List.of());
    return values.isEmpty() ? Optional.empty() : Optional.of(values.getLast());
  }

  List<String> parameters(String name) {
    return query.getOrDefault(name, List.of());
  }
}
