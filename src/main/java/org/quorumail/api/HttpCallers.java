package org.quorumail.api;

import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.quorumail.api.ApiRequest.Caller;

/**
 * The callers of the HTTP API, by token, address and headers. A browser on this host must not lend
 * its loopback address to a page of another site: such a page shows in Host (DNS rebinding), Origin
 * (RFC 6454) or Sec-Fetch-Site.
 */
final class HttpCallers {
  private static final HeaderName SEC_FETCH_SITE = HeaderNames.create("Sec-Fetch-Site");

  /** The headers by which a proxy on this host names itself, or a client elsewhere. */
  private static final Set<String> FORWARDING =
      Set.of("via", "forwarded", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip");

  private static final String FORWARDING_PREFIX = "x-forwarded-";

  private final Optional<ApiToken> token;
  private final Optional<ApiToken> readToken;

  private HttpCallers(Optional<ApiToken> token, Optional<ApiToken> readToken) {
    this.token = token;
    this.readToken = readToken;
  }

  /** Reads the token files; the exception's sentence names the key and the file. */
  static HttpCallers of(ApiConfig config) throws TokenFileException {
    Optional<ApiToken> token = ApiToken.read("api.token_file", config.tokenFile());
    Optional<ApiToken> readToken = ApiToken.read("api.read_token_file", config.readTokenFile());
    if (token.isPresent() && readToken.isPresent() && token.get().equals(readToken.get())) {
      throw new TokenFileException(
          "api.read_token_file", "the file has the token of api.token_file: create another one");
    }
    return new HttpCallers(token, readToken);
  }

  Caller caller(ServerRequest request) {
    Optional<String> authorization = request.headers().first(HeaderNames.AUTHORIZATION);
    if (authorization.isPresent()) return bearer(authorization.get());
    boolean open = token.isEmpty() && readToken.isEmpty();
    return open && isLocal(request) ? Caller.LOOPBACK : Caller.REMOTE;
  }

  private Caller bearer(String authorization) {
    String[] words = authorization.split(" ", 2);
    if (words.length != 2 || !words[0].equalsIgnoreCase("Bearer")) return Caller.WRONG_TOKEN;
    String candidate = words[1].strip();
    if (token.isPresent() && token.get().matches(candidate)) return Caller.TOKEN;
    if (readToken.isPresent() && readToken.get().matches(candidate)) return Caller.READ_TOKEN;
    return Caller.WRONG_TOKEN;
  }

  /** The name of a caller in lists of changes. */
  static String name(Caller caller) {
    return switch (caller) {
      case TOKEN -> "token:api.token_file";
      case READ_TOKEN -> "token:api.read_token_file";
      case WRONG_TOKEN -> "token:unknown";
      case LOOPBACK, REMOTE -> "anonymous";
      case OPERATOR -> "operator";
    };
  }

  /** The address of the client, or of the proxy in front of it. */
  static String address(ServerRequest request) {
    return request.remotePeer().address() instanceof InetSocketAddress peer
        ? peer.getAddress().getHostAddress()
        : "";
  }

  /** Reports whether the client, and the host that it asked for, are on this host. */
  private static boolean isLocal(ServerRequest request) {
    boolean loopback =
        request.remotePeer().address() instanceof InetSocketAddress peer
            && peer.getAddress().isLoopbackAddress();
    return loopback
        && request.headers().stream().noneMatch(h -> isForwarding(h.headerName().lowerCase()))
        && request.headers().first(HeaderNames.HOST).filter(HttpCallers::isLocalName).isPresent();
  }

  private static boolean isForwarding(String header) {
    return FORWARDING.contains(header) || header.startsWith(FORWARDING_PREFIX);
  }

  private static boolean isLocalName(String host) {
    String name = host.strip().replaceFirst(":[0-9]*$", "");
    if (name.equalsIgnoreCase("localhost")) return true;
    boolean brackets = name.startsWith("[") && name.endsWith("]");
    try {
      String literal = brackets ? name.substring(1, name.length() - 1) : name;
      return InetAddress.ofLiteral(literal).isLoopbackAddress();
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  /** Reports whether a browser sent the request for a page of another site. */
  static boolean isCrossSite(ServerRequest request) {
    String host = request.headers().first(HeaderNames.HOST).map(HttpCallers::lower).orElse("");
    Set<String> own = Set.of("http://" + host, "https://" + host); // a proxy may end TLS
    return !hasOnly(request, SEC_FETCH_SITE, Set.of("same-origin", "none"))
        || !hasOnly(request, HeaderNames.ORIGIN, own);
  }

  /** Reports whether a header has these values only, however often it is there. */
  private static boolean hasOnly(ServerRequest request, HeaderName name, Set<String> values) {
    if (!request.headers().contains(name)) return true;
    return request.headers().get(name).allValues().stream()
        .map(HttpCallers::lower)
        .allMatch(values::contains);
  }

  private static String lower(String text) {
    return text.strip().toLowerCase(Locale.ROOT);
  }
}
