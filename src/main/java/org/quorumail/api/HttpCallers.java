package org.quorumail.api;

import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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

  /** The senders of a token that may change everything. */
  private static final Set<String> ANY_SENDER = Set.of("*");

  private static final String FORWARDING_PREFIX = "x-forwarded-";

  /** The tokens, the one of {@code api.token_file} first. */
  private final List<KnownToken> tokens;

  private record KnownToken(String name, ApiToken token, Caller caller, Set<String> senders) {}

  /**
   * A caller and its name in the audit log.
   *
   * @param senders the addresses that it may send as
   */
  record Identity(Caller caller, String name, Set<String> senders) {}

  private HttpCallers(List<KnownToken> tokens) {
    this.tokens = List.copyOf(tokens);
  }

  /** Reads the token files; the exception's sentence names the key and the file. */
  static HttpCallers of(ApiConfig config) throws TokenFileException {
    List<KnownToken> known = new ArrayList<>();
    add(known, "api.token_file", config.tokenFile(), Caller.TOKEN, ANY_SENDER);
    add(known, "api.read_token_file", config.readTokenFile(), Caller.READ_TOKEN, Set.of());
    for (HttpToken token : config.tokens()) {
      Optional<Path> file = Optional.of(token.file());
      switch (token.rights()) {
        case WRITE -> add(known, token.name(), file, Caller.TOKEN, ANY_SENDER);
        case INJECT -> {
          Set<String> senders = Set.copyOf(token.senders());
          add(known, token.name(), file, Caller.INJECT_TOKEN, senders);
        }
        case READ -> add(known, token.name(), file, Caller.READ_TOKEN, Set.of());
      }
    }
    return new HttpCallers(known);
  }

  private static void add(
      List<KnownToken> known, String name, Optional<Path> file, Caller caller, Set<String> senders)
      throws TokenFileException {
    String key = name.startsWith("api.") ? name : "api.tokens, " + name;
    Optional<ApiToken> token = ApiToken.read(key, file);
    if (token.isEmpty()) return;
    for (KnownToken other : known) {
      if (!other.token.equals(token.get())) continue;
      throw new TokenFileException(
          key, "the file has the token of %s: create another one".formatted(other.name));
    }
    known.add(new KnownToken(name, token.get(), caller, senders));
  }

  Identity identify(ServerRequest request) {
    Optional<String> authorization = request.headers().first(HeaderNames.AUTHORIZATION);
    if (authorization.isPresent()) return bearer(authorization.get());
    boolean isOpen = tokens.isEmpty();
    Caller caller = isOpen && isLocal(request) ? Caller.LOOPBACK : Caller.REMOTE;
    return new Identity(caller, "anonymous", Set.of());
  }

  private Identity bearer(String authorization) {
    String[] words = authorization.split(" ", 2);
    boolean isBearer = words.length == 2 && words[0].equalsIgnoreCase("Bearer");
    String candidate = isBearer ? words[1].strip() : "";
    for (KnownToken known : tokens) {
      if (!known.token.matches(candidate)) continue;
      return new Identity(known.caller, "token:" + known.name, known.senders);
    }
    return new Identity(Caller.WRONG_TOKEN, "token:unknown", Set.of());
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
