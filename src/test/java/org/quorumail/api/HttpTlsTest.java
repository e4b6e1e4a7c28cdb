package org.quorumail.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.quorumail.cluster.ClusterEvent;
import org.quorumail.metrics.Metrics;
import org.quorumail.smtp.TestCertificates;
import org.quorumail.tls.ServerTls;
import org.slf4j.LoggerFactory;

/** The HTTP server with {@code api.tls}, asked by clients of the JDK and by raw sockets. */
@Timeout(60)
class HttpTlsTest {
  private static final Duration SECOND = Duration.ofSeconds(1);

  @TempDir Path folder;
  private final Metrics metrics = new Metrics();
  private final List<Socket> sockets = new ArrayList<>();
  private final ListAppender<ILoggingEvent> log = new ListAppender<>();

  @SuppressWarnings("NullAway.Init") // set for each test
  private SSLContext trusting;

  private volatile Optional<ServerTls> tls = Optional.empty();

  @SuppressWarnings("NullAway.Init") // each test starts its own
  private HttpServer server;

  @BeforeEach
  void setUp() throws Exception {
    X509Certificate old = TestCertificates.forHosts(folder, null, "old", "localhost").certificate();
    X509Certificate renewed =
        TestCertificates.forHosts(folder, null, "new", "localhost").certificate();
    trusting = trusting(old, renewed);
    tls = Optional.of(certificate("old"));
    log.start();
    logger().addAppender(log);
  }

  @AfterEach
  void stop() throws IOException {
    for (Socket socket : sockets) socket.close();
    server.close();
    metrics.close();
    logger().detachAppender(log);
  }

  @ParameterizedTest
  @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
  void theApiAnswersOverTls(String protocol) throws Exception {
    start(HttpLimits.DEFAULT);
    SSLParameters parameters = new SSLParameters();
    parameters.setProtocols(new String[] {protocol});
    try (HttpClient client =
        HttpClient.newBuilder().sslContext(trusting).sslParameters(parameters).build()) {
      HttpResponse<String> probe = get(client, "/livez");
      assertThat(probe.statusCode()).isEqualTo(200);
      assertThat(probe.version()).isEqualTo(HttpClient.Version.HTTP_1_1);
      assertThat(probe.sslSession().orElseThrow().getProtocol()).isEqualTo(protocol);
      for (int i = 0; i < 500; i++) metrics.registry().counter("filler", "number", "" + i);
      String answers = get(client, "/metrics").body();
      assertThat(answers.length()).as("more than a record").isGreaterThan(16 << 10);
      HttpRequest change =
          HttpRequest.newBuilder(uri("/api/reload"))
              .POST(HttpRequest.BodyPublishers.ofString("x".repeat(ApiRequest.MAX_BODY)))
              .build();
      HttpResponse<String> answer = client.send(change, HttpResponse.BodyHandlers.ofString());
      assertThat(answer.statusCode()).as("no token").isIn(401, 403);
    }
    assertThat(log.list).isEmpty();
  }

  @Test
  void theNextConnectionGetsTheRenewedCertificate() throws Exception {
    start(HttpLimits.DEFAULT);
    SSLSocket before = connect();
    assertThat(subject(before)).isEqualTo("CN=old");
    tls = Optional.of(certificate("new"));
    assertThat(subject(connect())).isEqualTo("CN=new");
    assertThat(ask(before)).as("an open connection stays").startsWith("HTTP/1.1 200");
  }

  @Test
  void eventsFlowOverTlsAsTheyHappen() throws Exception {
    FakeNode node = start(HttpLimits.DEFAULT);
    node.events().add(new ClusterEvent("2026-01-01T00:00:00Z", "n0", "NodeFailed", Map.of()));
    SSLSocket socket = connect();
    send(
        socket, "GET /api/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n");
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
    assertThat(lines.readLine()).startsWith("HTTP/1.1 200");
    node.events().add(new ClusterEvent("2026-01-01T00:00:00Z", "n0", "NodeJoined", Map.of()));
    String line = lines.readLine();
    while (line != null && !line.contains("NodeJoined")) line = lines.readLine();
    assertThat(line).isNotNull();
  }

  @Test
  void aRequestInPlainTextGetsOneSentenceAndIsOneLine() throws Exception {
    start(HttpLimits.DEFAULT);
    Socket socket = open("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
    String answer = readAll(socket);
    assertThat(answer)
        .startsWith("HTTP/1.1 400 ")
        .endsWith("\r\n\r\nThis port speaks HTTPS: use https:// in the address.\r\n");
    int body = answer.length() - answer.indexOf("\r\n\r\n") - 4;
    assertThat(answer).contains("Content-Length: " + body + "\r\n");
    assertThat(droppedFor("plain_text_on_tls_port")).isEqualTo(1);
    assertThat(log.list).hasSize(1);
  }

  @Test
  void anythingElseIsClosedWithOneLine() throws Exception {
    start(HttpLimits.DEFAULT);
    byte[] octets = {22, 3, 1, 0, 5, 2, 0, 0, 1, 4}; // a ServerHello of one octet
    Socket socket = open("");
    socket.getOutputStream().write(octets);
    assertThat(socket.getInputStream().readAllBytes()).as("an alert").hasSizeLessThan(32);
    await().until(() -> droppedFor("tls_handshake_failed") == 1);
    assertThat(log.list).hasSize(1);
  }

  @Test
  void aHandshakeThatDripsEndsAtTheDeadlineOfARequest() throws Exception {
    start(new HttpLimits(8, 8, 8, SECOND, SECOND));
    Socket socket = open("");
    socket.getOutputStream().write(new byte[] {22, 3, 1, 2, 0, 1, 0, 1, (byte) 0xFC, 3, 3});
    await().atMost(Duration.ofSeconds(10)).until(() -> !drip(socket));
    assertThat(droppedFor("request_too_slow")).isEqualTo(1);
    assertThat(log.list).hasSize(1);
  }

  @Test
  void aHandshakeThatIsNotContinuedLeavesRoomForOthers() throws Exception {
    start(new HttpLimits(4, 4, 8, Duration.ofSeconds(20), Duration.ofSeconds(20)));
    for (int i = 0; i < 20; i++) {
      Socket socket = open("");
      socket.getOutputStream().write(new byte[] {22, 3, 1, 2, 0, 1, 0});
    }
    assertThat(ask(connect())).startsWith("HTTP/1.1 200");
  }

  @Test
  void aClosedHandshakeLeavesItsPlace() throws Exception {
    start(new HttpLimits(2, 2, 8, Duration.ofSeconds(20), Duration.ofSeconds(20)));
    for (int i = 0; i < 10; i++) {
      Socket socket = open("");
      socket.getOutputStream().write(new byte[] {22, 3, 1, 2, 0, 1, 0});
      socket.shutdownOutput();
      socket.getInputStream().readAllBytes();
    }
    assertThat(ask(connect())).startsWith("HTTP/1.1 200");
    assertThat(droppedFor("too_many_connections")).isZero();
  }

  @Test
  void aClientThatWantsHttp2OnlyIsRefusedInTheHandshake() throws Exception {
    start(HttpLimits.DEFAULT);
    SSLSocket socket =
        (SSLSocket) trusting.getSocketFactory().createSocket("localhost", server.port());
    sockets.add(socket);
    SSLParameters parameters = socket.getSSLParameters();
    parameters.setApplicationProtocols(new String[] {"h2"});
    socket.setSSLParameters(parameters);
    assertThatThrownBy(socket::startHandshake).isInstanceOf(SSLException.class);
    await().until(() -> droppedFor("tls_handshake_failed") == 1);
  }

  @Test
  void theEndOfAConnectionIsNotACut() throws Exception {
    start(HttpLimits.DEFAULT);
    SSLSocket socket = connect();
    send(socket, "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assertThat(readAll(socket)).startsWith("HTTP/1.1 200").endsWith("OK");
    assertThat(log.list).isEmpty();
  }

  private FakeNode start(HttpLimits limits) throws IOException {
    FakeNode node = new FakeNode(folder, Map.of("health.listen_address", "127.0.0.1:0"));
    Api api = new Api(node, node, node, node, node, Optional.of(metrics));
    server = HttpServer.start(api, node.config().health(), node.config().api(), () -> tls, limits);
    return node;
  }

  private ServerTls certificate(String name) throws Exception {
    return ServerTls.of(folder.resolve(name + ".pem"), folder.resolve(name + ".key"), "1.2");
  }

  private static SSLContext trusting(X509Certificate... certificates) throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    for (X509Certificate certificate : certificates) {
      store.setCertificateEntry(certificate.getSubjectX500Principal().getName(), certificate);
    }
    TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
    factory.init(store);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, factory.getTrustManagers(), null);
    return context;
  }

  private URI uri(String path) {
    return URI.create("https://localhost:" + server.port() + path);
  }

  private HttpResponse<String> get(HttpClient client, String path) throws Exception {
    HttpRequest request = HttpRequest.newBuilder(uri(path)).build();
    return client.send(request, HttpResponse.BodyHandlers.ofString());
  }

  private Socket open(String text) throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
    sockets.add(socket);
    socket.setSoTimeout(10_000);
    socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
    return socket;
  }

  private SSLSocket connect() throws IOException {
    SSLSocket socket =
        (SSLSocket) trusting.getSocketFactory().createSocket("localhost", server.port());
    sockets.add(socket);
    socket.setSoTimeout(10_000);
    socket.startHandshake();
    return socket;
  }

  private static String ask(SSLSocket socket) throws IOException {
    send(socket, "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return new String(socket.getInputStream().readNBytes(12), StandardCharsets.US_ASCII);
  }

  private static void send(Socket socket, String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
  }

  private static String readAll(Socket socket) throws IOException {
    InputStream in = socket.getInputStream();
    return new String(in.readAllBytes(), StandardCharsets.US_ASCII);
  }

  private static String subject(SSLSocket socket) throws SSLException {
    X509Certificate own = (X509Certificate) socket.getSession().getPeerCertificates()[0];
    return own.getSubjectX500Principal().getName();
  }

  private static boolean drip(Socket socket) {
    try {
      socket.getOutputStream().write('x');
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private long droppedFor(String reason) {
    return List.copyOf(log.list).stream()
        .map(ILoggingEvent::getFormattedMessage)
        .filter(line -> line.startsWith("event=http_connection_dropped "))
        .filter(line -> line.contains(" reason=" + reason))
        .count();
  }

  private static ch.qos.logback.classic.Logger logger() {
    return (ch.qos.logback.classic.Logger) LoggerFactory.getLogger(HttpServer.class);
  }
}
