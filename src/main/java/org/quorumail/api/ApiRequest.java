package org.quorumail.api;

import java.io.ByteArrayInputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.quorumail.api.InjectionView.InjectionRequest;

/**
 * A call of the API, over either transport.
 *
 * @param path decoded, without query
 * @param query all values of each parameter
 * @param variables parts of the path that the route's pattern names
 * @param who the name of the caller: a user of this host, or the key of its token
 * @param from the address of the caller, or the transport
 * @param streamed the request with its body, where that is read as it arrives
 */
record ApiRequest(
    String method,
    String path,
    Map<String, List<String>> query,
    Map<String, String> variables,
    byte[] body,
    Caller caller,
    String who,
    String from,
    Optional<InjectionRequest> streamed) {

  /** A request with a short body. */
  ApiRequest(
      String method,
      String path,
      Map<String, List<String>> query,
      Map<String, String> variables,
      byte[] body,
      Caller caller,
      String who,
      String from) {
    this(method, path, query, variables, body, caller, who, from, Optional.empty());
  }

  /** The longest body; a longer one is refused with 413. */
  static final int MAX_BODY = 64 << 10;

  /** The caller, by the proof that the transport has. */
  enum Caller {
    /** A process of the node's user or of root, over the control socket. */
    OPERATOR,
    /** A client with a token that reads and changes, over HTTP. */
    TOKEN,
    /** A client with a token that injects messages, over HTTP. */
    INJECT_TOKEN,
    /** A client with a token that reads, over HTTP. */
    READ_TOKEN,
    /** A client with a wrong token, over HTTP. */
    WRONG_TOKEN,
    /** A client on this host of a node without tokens, over HTTP. */
    LOOPBACK,
    /** Any other client without a token, over HTTP. */
    REMOTE
  }

  /**
   * Reads path and query, both percent-encoded, of a target.
   *
   * @throws IllegalArgumentException when they cannot be decoded
   */
  static ApiRequest ofTarget(
      String method, String target, byte[] body, Caller caller, String who, String from) {
    int query = target.indexOf('?');
    return new ApiRequest(
        method,
        QueryString.decode(query < 0 ? target : target.substring(0, query)),
        QueryString.parse(query < 0 ? "" : target.substring(query + 1)),
        Map.of(),
        body,
        caller,
        who,
        from);
  }

  ApiRequest withVariables(Map<String, String> pathVariables) {
    return new ApiRequest(method, path, query, pathVariables, body, caller, who, from, streamed);
  }

  ApiRequest withQuery(Map<String, List<String>> parameters) {
    return new ApiRequest(method, path, parameters, variables, body, caller, who, from, streamed);
  }

  /** The request as one with messages; a short body is JSON. */
  InjectionRequest injection() {
    InetSocketAddress here = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    return streamed.orElseGet(
        () ->
            new InjectionRequest(
                Map.of("content-type", "application/json"),
                query,
                new ByteArrayInputStream(body),
                OptionalLong.of(body.length),
                who,
                Set.of("*"),
                here,
                here,
                Optional.empty()));
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
