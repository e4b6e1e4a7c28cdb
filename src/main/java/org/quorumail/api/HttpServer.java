package org.quorumail.api;

import io.helidon.common.socket.PeerInfo;
import io.helidon.http.DirectHandler.EventType;
import io.helidon.http.DirectHandler.TransportRequest;
import io.helidon.http.DirectHandler.TransportResponse;
import io.helidon.http.Header;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.ServerResponseHeaders;
import io.helidon.http.Status;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.helidon.webserver.http1.Http1Config;
import io.helidon.webserver.http1.Http1ConnectionSelector;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.quorumail.api.HttpConnection.Phase;
import org.quorumail.api.InjectionView.InjectionRequest;
import org.quorumail.api.TraceView.MailEventQuery;
import org.quorumail.tls.ServerTls;

/**
 * The API over HTTP/1.1, plain or by TLS. Threads: Helidon's, one virtual thread per connection.
 */
public final class HttpServer implements AutoCloseable {
  /** Places beyond the limit, for connections that are being closed for newer ones. */
  private static final int SPARE_CONNECTIONS = 256;

  /** The time that a request waits for a place among the running ones. */
  private static final Duration PLACE_TIMEOUT = Duration.ofSeconds(5);

  private static final int MAX_REQUEST_LINE = 8 << 10;
  private static final int MAX_HEADERS = 16 << 10;

  /**
   * The octets of a too long body that are read and thrown away. Unread octets would make the close
   * a reset, and the client could see the reset instead of the answer.
   */
  private static final int MAX_DISCARDED_BODY = 4 * ApiRequest.MAX_BODY;

  private static final String CONNECTION = "Connection";

  private static final ApiResponse TOO_LONG =
      ApiResponse.problem(413, "Content Too Large", "a body has at most 64 KiB");

  private static final Status UNSUPPORTED = Status.UNSUPPORTED_MEDIA_TYPE_415;

  private final Api api;
  private final HttpCallers callers;
  private final HttpConnections connections;
  private final Semaphore places;
  private final Semaphore uploads;
  private final Duration requestTimeout;
  private final WebServer server;

  private HttpServer(
      Api api,
      HttpCallers callers,
      InetSocketAddress address,
      HttpLimits limits,
      Supplier<Optional<ServerTls>> tls) {
    this.api = api;
    this.callers = callers;
    this.places = new Semaphore(limits.requests());
    this.uploads = new Semaphore(limits.requests());
    this.requestTimeout = limits.requestTimeout();
    this.connections = new HttpConnections(http1(), limits, tls);
    this.server =
        WebServer.builder()
            .address(address.getAddress())
            .port(address.getPort())
            .shutdownHook(false) // the node decides about the end
            .maxTcpConnections(limits.connections() + SPARE_CONNECTIONS)
            .shutdownGracePeriod(Duration.ofSeconds(1))
            .protocolsDiscoverServices(false)
            .featuresDiscoverServices(false)
            .directHandlers(
                handlers -> {
                  for (EventType event : EventType.values()) {
                    handlers.addHandler(event, this::transportRefusal);
                  }
                })
            .addConnectionSelector(connections)
            .routing(routing -> routing.any(this::handle))
            .build();
  }

  /**
   * Listens at {@code health.listen_address}.
   *
   * @param tls the certificates of the next connection; empty for plain HTTP
   * @throws IOException with a sentence for the operator when it cannot
   */
  public static HttpServer start(
      Api api, HttpServerConfig config, ApiConfig security, Supplier<Optional<ServerTls>> tls)
      throws IOException {
    return start(api, config, security, tls, HttpLimits.DEFAULT);
  }

  static HttpServer start(
      Api api,
      HttpServerConfig config,
      ApiConfig security,
      Supplier<Optional<ServerTls>> tls,
      HttpLimits limits)
      throws IOException {
    InetSocketAddress address = config.listenAddress();
    HttpServer http = new HttpServer(api, HttpCallers.of(security), address, limits, tls);
    http.server.start();
    if (http.server.isRunning()) return http; // a failed bind is only logged by Helidon
    http.connections.close();
    throw new IOException(
        "HTTP cannot listen on %s port %d (health.listen_address): the port is taken or not allowed"
            .formatted(address.getAddress().getHostAddress(), address.getPort()));
  }

  /** The bound port, also when the configured one is 0. */
  public int port() {
    return server.port();
  }

  @Override
  public void close() {
    api.eventStream().close();
    api.mailEventStream().close();
    server.stop();
    connections.close();
  }

  private static Http1ConnectionSelector http1() {
    return Http1ConnectionSelector.builder()
        .config(
            Http1Config.builder()
                .maxPrologueLength(MAX_REQUEST_LINE)
                .maxHeadersSize(MAX_HEADERS)
                .build())
        .build();
  }

  private void handle(ServerRequest request, ServerResponse response) {
    boolean last = request.headers().containsToken(HeaderValues.CONNECTION_CLOSE);
    ApiResponse answer;
    try {
      Optional<ApiResponse> refusal = refusal(request);
      answer = refusal.isPresent() ? refusal.get() : call(request);
    } catch (IOException e) {
      connections.malformed();
      answer = ApiResponse.badRequest("the body could not be read");
      last = true;
    }
    last |= answer.headers().containsKey(CONNECTION);
    enter(Phase.ANSWERING);
    response.status(answer.status());
    response.header("Content-Type", answer.contentType());
    response.header("Cache-Control", "no-store");
    response.header("X-Content-Type-Options", "nosniff");
    if (answer.status() == 200 && wantsStream(request)) {
      if (request.path().path().equals(MailEventRoutes.PATH)) streamMail(request, response);
      else stream(request, response);
      return;
    }
    answer.headers().forEach((name, value) -> response.header(name, value));
    if (request.prologue().method().text().equals("HEAD")) response.send();
    else response.send(answer.body());
    // Helidon would keep it open
    if (last) throw new CloseConnectionException("the last request of the connection");
    enter(Phase.IDLE);
  }

  /** Starts a phase of the current connection, or ends its thread when it has been closed. */
  private static void enter(Phase phase) {
    if (HttpConnection.CURRENT.get().enter(phase)) return;
    throw new CloseConnectionException("the connection has been closed");
  }

  private static boolean wantsStream(ServerRequest request) {
    return isEvents(request.path().path())
        && header(request, HeaderNames.ACCEPT)
            .filter(accept -> accept.contains(EventStream.CONTENT_TYPE))
            .isPresent();
  }

  private static boolean isEvents(String path) {
    return path.equals(EventRoutes.PATH) || path.equals(MailEventRoutes.PATH);
  }

  /** Streams the events of mail of an allowed call as they happen. */
  private void streamMail(ServerRequest request, ServerResponse response) {
    if (!api.eventStream().tryOpen()) {
      response.status(503).send();
      return;
    }
    try {
      MailEventQuery query;
      try {
        query = mailEventQuery(request);
      } catch (IllegalArgumentException e) {
        response.status(400).send();
        return;
      }
      response.header("Content-Type", EventStream.CONTENT_TYPE);
      enter(Phase.EVENTS);
      api.mailEventStream().write(response.outputStream(), query, new Deadlines());
    } finally {
      api.eventStream().release();
    }
  }

  private MailEventQuery mailEventQuery(ServerRequest request) {
    MailCursor last =
        header(request, HeaderNames.create("Last-Event-ID"))
            .map(MailCursor::parse)
            .orElse(MailCursor.NONE);
    return MailEventRoutes.query(call(request, new byte[0]), last);
  }

  /** A client that does not take events is cut off as one that does not take an answer. */
  private static final class Deadlines implements MailEventStream.Taking {
    @Override
    public void begin() {
      enter(Phase.ANSWERING);
    }

    @Override
    public void end() {
      enter(Phase.EVENTS);
    }
  }

  /** Streams the events of an allowed call as they happen. */
  private void stream(ServerRequest request, ServerResponse response) {
    if (!api.eventStream().tryOpen()) {
      response.status(503).send();
      return;
    }
    long after =
        header(request, HeaderNames.create("Last-Event-ID"))
            .filter(id -> id.matches("[0-9]{1,18}"))
            .map(Long::parseLong)
            .orElse(0L);
    response.header("Content-Type", EventStream.CONTENT_TYPE);
    enter(Phase.EVENTS);
    api.eventStream().write(response.outputStream(), after);
  }

  /**
   * Answers a request that Helidon refuses before routing, or while it reads a body: malformed, too
   * long, encoded. Its internal errors are requests that it cannot parse; as errors of the server
   * they would be logged with their trace and content.
   */
  private TransportResponse transportRefusal(
      TransportRequest request,
      EventType event,
      Status status,
      ServerResponseHeaders headers,
      String message) {
    boolean encoded = request.headers().contains(HeaderNames.CONTENT_ENCODING);
    boolean unreadable = event == EventType.INTERNAL_ERROR && isBeforeHandling();
    if (unreadable) connections.malformed();
    Status refined =
        unreadable
            ? Status.BAD_REQUEST_400
            : encoded && event == EventType.BAD_REQUEST ? UNSUPPORTED : status;
    ApiResponse answer =
        ApiResponse.problem(
            refined.code(), refined.reasonPhrase(), "the request was refused before it was read");
    return TransportResponse.builder()
        .status(refined)
        .headers(headers)
        .header(HeaderNames.CONTENT_TYPE, answer.contentType())
        .keepAlive(event == EventType.PAYLOAD_TOO_LARGE) // a reset could hide the answer
        .entity(answer.body())
        .build();
  }

  /** Whether the request has not come to us: then a fault is the client's, not ours. */
  private static boolean isBeforeHandling() {
    if (!HttpConnection.CURRENT.isBound()) return false;
    Phase phase = HttpConnection.CURRENT.get().phase();
    return phase == Phase.IDLE || phase == Phase.RECEIVING;
  }

  private Optional<ApiResponse> refusal(ServerRequest request) {
    if (HttpCallers.isCrossSite(request) && !api.isProbe(request.path().path())) {
      String detail = "requests for pages of other sites are not answered";
      return Optional.of(ApiResponse.problem(403, "Forbidden", detail));
    }
    for (String name : request.query().names()) {
      if (name.equals("token") || name.equals("access_token")) {
        String detail = "a token belongs in the Authorization header, never in a URL";
        return Optional.of(ApiResponse.problem(401, "Unauthorized", detail));
      }
    }
    return Optional.empty();
  }

  private ApiResponse call(ServerRequest request) throws IOException {
    if (Api.isInjection(request.prologue().method().text(), request.path().path())) {
      return inject(request);
    }
    long announced = request.headers().contentLength().orElse(0);
    if (announced > MAX_DISCARDED_BODY) return TOO_LONG.withHeader(CONNECTION, "close");
    Body body = body(request);
    if (!body.whole) return TOO_LONG.withHeader(CONNECTION, "close");
    if (body.octets.length > ApiRequest.MAX_BODY) return TOO_LONG;
    ApiRequest call = call(request, body.octets);
    if (isEvents(call.path())) { // waits for events, and is no work
      enter(Phase.EVENTS);
      return api.call(call);
    }
    if (!api.isProbe(call.path())) return callInTurn(call);
    enter(Phase.WORKING);
    return api.call(call);
  }

  /** Calls the operation that takes messages, which reads the body while it arrives. */
  private ApiResponse inject(ServerRequest request) {
    UploadStream body = new UploadStream(request);
    HttpCallers.Identity identity = callers.identify(request);
    Map<String, String> headers = new HashMap<>();
    for (Header header : request.headers()) {
      headers.putIfAbsent(header.headerName().lowerCase(), header.get());
    }
    InjectionRequest injection =
        new InjectionRequest(
            headers,
            query(request),
            body,
            request.headers().contentLength(),
            identity.name(),
            identity.senders(),
            address(request.remotePeer()),
            address(request.localPeer()),
            request.isSecure() ? Optional.of("TLS") : Optional.empty());
    ApiRequest call =
        new ApiRequest(
            request.prologue().method().text(),
            request.path().path(),
            injection.query(),
            Map.of(),
            new byte[0],
            identity.caller(),
            identity.name(),
            HttpCallers.address(request),
            Optional.of(injection));
    enter(Phase.WORKING);
    ApiResponse answer = callWithUpload(call);
    body.discard(MAX_DISCARDED_BODY, requestTimeout);
    if (body.failed()) connections.malformed();
    return body.ended() ? answer : answer.withHeader(CONNECTION, "close");
  }

  private ApiResponse callWithUpload(ApiRequest call) {
    if (!uploads.tryAcquire()) {
      return ApiResponse.problem(429, "Too Many Requests", "too many requests with messages run")
          .withHeader("Retry-After", "1");
    }
    try {
      return api.call(call);
    } finally {
      uploads.release();
    }
  }

  private static InetSocketAddress address(PeerInfo peer) {
    return peer.address() instanceof InetSocketAddress address
        ? address
        : new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
  }

  private ApiRequest call(ServerRequest request, byte[] body) {
    HttpCallers.Identity identity = callers.identify(request);
    return new ApiRequest(
        request.prologue().method().text(),
        request.path().path(),
        query(request),
        Map.of(),
        body,
        identity.caller(),
        identity.name(),
        HttpCallers.address(request));
  }

  /** Calls the API when fewer than the allowed number of requests run: probes need room too. */
  private ApiResponse callInTurn(ApiRequest call) {
    enter(Phase.WAITING);
    try {
      if (!places.tryAcquire(PLACE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)) {
        return ApiResponse.problem(503, "Service Unavailable", "too many requests are running");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return ApiResponse.problem(503, "Service Unavailable", "the node is stopping");
    }
    try {
      enter(Phase.WORKING);
      return api.call(call);
    } finally {
      places.release();
    }
  }

  /**
   * Reads the body; keeps at most one octet more than is allowed, and throws a bounded rest away.
   *
   * @throws IOException when the body is malformed; what follows it is no request then
   */
  private static Body body(ServerRequest request) throws IOException {
    if (!request.content().hasEntity()) return new Body(new byte[0], true);
    InputStream in = request.content().inputStream();
    try {
      byte[] body = in.readNBytes(ApiRequest.MAX_BODY + 1);
      byte[] piece = new byte[8 << 10];
      int left = MAX_DISCARDED_BODY;
      int n = in.read(piece);
      for (; n >= 0 && left > 0; n = in.read(piece)) left -= n;
      if (n < 0) in.close(); // else, or after a fault, it would wait for the rest of the body
      return new Body(body, n < 0);
    } catch (CloseConnectionException e) {
      throw e;
    } catch (UncheckedIOException e) {
      throw new CloseConnectionException("the connection failed", e);
    } catch (RuntimeException e) {
      throw new IOException("the body is not what its header says", e);
    }
  }

  /**
   * A body, or the start of one.
   *
   * @param whole whether the client has no more of it to send
   */
  private record Body(byte[] octets, boolean whole) {}

  private static Map<String, List<String>> query(ServerRequest request) {
    Map<String, List<String>> query = new HashMap<>();
    for (String name : request.query().names()) query.put(name, request.query().all(name));
    return query;
  }

  private static Optional<String> header(ServerRequest request, HeaderName name) {
    return request.headers().first(name);
  }
}
