package org.quorumail.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.quorumail.config.Network;
import org.quorumail.metrics.Metrics;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.bridge.SLF4JBridgeHandler;

/** Clients that are slow on purpose, and the others, which must not notice them. */
@Timeout(60)
class HttpConnectionsTest {
  @TempDir Path folder;
  private final Metrics metrics = new Metrics();
  private final List<Socket> sockets = new ArrayList<>();
  private final ListAppender<ILoggingEvent> log = new ListAppender<>();
  private FakeNode node;

  @SuppressWarnings("NullAway.Init") // each test starts its own
  private HttpServer server;

  @BeforeEach
  void setUp() {
    node = new FakeNode(folder, Map.of("health.listen_address", "127.0.0.1:0"));
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

  @Test
  void probesAreAnsweredWhileElevenHundredConnectionsDrip() throws Exception {
    start();
    for (int i = 0; i < 1_100; i++) open("GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ");
    for (int i = 0; i < 20; i++) assertThat(probe().statusCode()).isEqualTo(200);
  }

  @Test
  void aRequestThatDripsEndsAtItsDeadlineWithOneLine() throws Exception {
    start(limits(8, 8));
    Socket socket = open("GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ");
    await().atMost(Duration.ofSeconds(10)).until(() -> !drip(socket));
    assertThat(droppedFor("request_too_slow")).isEqualTo(1);
  }

  @Test
  void aBodyThatDripsEndsAtItsDeadline() throws Exception {
    start(limits(8, 8));
    Socket socket =
        open("POST /api/reload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 60000\r\n\r\n");
    await().atMost(Duration.ofSeconds(10)).until(() -> !drip(socket));
    assertThat(droppedFor("request_too_slow")).isEqualTo(1);
  }

  @Test
  void aClientThatDoesNotTakeItsAnswersIsDropped() throws Exception {
    start(limits(8, 8));
    Socket socket = open("");
    byte[] request =
        "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
    Thread writer =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    while (true) socket.getOutputStream().write(request);
                  } catch (IOException e) {
                    return; // dropped, as it should be
                  }
                });
    await().atMost(Duration.ofSeconds(20)).until(() -> droppedFor("answer_not_taken") == 1);
    assertThat(writer.join(Duration.ofSeconds(10))).isTrue();
  }

  @Test
  void theConnectionOfTheLastRequestIsClosedAtOnce() throws Exception {
    start();
    Socket socket = open("GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
    socket.setSoTimeout(5_000);
    assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII))
        .startsWith("HTTP/1.1 200")
        .endsWith("OK");
    assertThat(log.list).isEmpty();
  }

  @Test
  void aConnectionBetweenTwoRequestsEndsWithoutALine() throws Exception {
    start(limits(8, 8));
    Socket socket = open("GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    socket.setSoTimeout(10_000);
    assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII))
        .startsWith("HTTP/1.1 200")
        .endsWith("OK");
    assertThat(log.list).isEmpty();
  }

  @Test
  void aClientThatLeavesInsideARequestIsOneLine() throws Exception {
    ListAppender<ILoggingEvent> all = new ListAppender<>();
    all.start();
    SLF4JBridgeHandler.install();
    root().addAppender(all);
    try {
      start();
      open("GET /livez HTTP/1.1\r\nX-").close();
      await().until(() -> droppedFor("closed_by_client") == 1);
      assertThat(probe().statusCode()).isEqualTo(200);
      assertThat(all.list.stream().filter(e -> e.getLevel().isGreaterOrEqual(Level.WARN)))
          .as("no trace of the library")
          .hasSize(1);
    } finally {
      root().detachAppender(all);
      SLF4JBridgeHandler.uninstall();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "POST /api/reload HTTP/1.1~Host: 127.0.0.1~Transfer-Encoding: chunked~~4;x=y~abcd~0~~",
        "POST /api/queue HTTP/1.1~Host: x.example~Transfer-Encoding: chunked~~zz~abcd~0~~",
        "G(T /livez HTTP/1.1~Host: 127.0.0.1~~"
      })
  void aRequestThatIsNotHttpIsOneLineWithoutItsContent(String request) throws Exception {
    ListAppender<ILoggingEvent> all = new ListAppender<>();
    all.start();
    SLF4JBridgeHandler.install();
    root().addAppender(all);
    try {
      start();
      Socket socket = open(request.replace("~", "\r\n"));
      socket.setSoTimeout(10_000);
      assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII))
          .startsWith("HTTP/1.1 4");
      await().until(() -> droppedFor("malformed_request") == 1);
      assertThat(probe().statusCode()).isEqualTo(200);
      assertThat(all.list.stream().filter(e -> e.getLevel().isGreaterOrEqual(Level.WARN)))
          .singleElement()
          .matches(e -> e.getThrowableProxy() == null);
    } finally {
      root().detachAppender(all);
      SLF4JBridgeHandler.uninstall();
    }
  }

  @Test
  void requestsThatWaitForTheirTurnMakeRoomForAProbe() throws Exception {
    Duration limit = Duration.ofSeconds(20);
    start(new HttpLimits(4, 4, 0, limit, limit));
    for (int i = 0; i < 4; i++) open("GET /api/queue HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    await()
        .pollInterval(Duration.ofMillis(20))
        .atMost(Duration.ofSeconds(4))
        .untilAsserted(() -> assertThat(probe().statusCode()).isEqualTo(200));
    assertThat(droppedFor("too_many_connections")).isPositive();
  }

  @Test
  void readersOfEventsMakeRoomForAProbe() throws Exception {
    start(limits(4, 4));
    for (int i = 0; i < 12; i++) {
      open("GET /api/events?after=0&wait=30 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    }
    assertThat(probe().statusCode()).isEqualTo(200);
    await().until(() -> droppedFor("too_many_connections") == 9);
  }

  @Test
  void theLogOfDroppedConnectionsIsLimited() throws Exception {
    start(limits(4, 4));
    for (int i = 0; i < 200; i++) open("GET ");
    assertThat(probe().statusCode()).isEqualTo(200);
    assertThat(log.list).hasSizeBetween(1, 20);
  }

  @Test
  void workOfTheNodeIsNeverInterrupted() throws Exception {
    start();
    HttpConnection connection = new HttpConnection(Network.parse("192.0.2.1"));
    assertThat(connection.enter(HttpConnection.Phase.WORKING)).isTrue();
    assertThat(connection.close()).isFalse();
    assertThat(Thread.currentThread().isInterrupted()).isFalse();
    assertThat(connection.enter(HttpConnection.Phase.ANSWERING)).isTrue();
    assertThat(connection.close()).isTrue();
    assertThat(Thread.interrupted()).isTrue();
    assertThat(connection.enter(HttpConnection.Phase.IDLE)).isFalse();
  }

  private static HttpLimits limits(int connections, int perClient) {
    Duration second = Duration.ofSeconds(1);
    return new HttpLimits(connections, perClient, 8, second, second);
  }

  private long droppedFor(String reason) {
    return List.copyOf(log.list).stream()
        .map(ILoggingEvent::getFormattedMessage)
        .filter(line -> line.startsWith("event=http_connection_dropped "))
        .filter(line -> line.contains(" reason=" + reason))
        .count();
  }

  /** Sends one more octet; false when the server has closed the connection. */
  private static boolean drip(Socket socket) {
    try {
      socket.getOutputStream().write('x');
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private void start() throws IOException {
    start(HttpLimits.DEFAULT);
  }

  private void start(HttpLimits limits) throws IOException {
    server =
        HttpServer.start(
            new Api(node, node, node, node, node, Optional.of(metrics)),
            node.config().health(),
            node.config().api(),
            Optional::empty,
            limits);
  }

  private Socket open(String text) throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
    sockets.add(socket);
    socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
    return socket;
  }

  /** A new connection each time, as an orchestrator opens it. */
  private HttpResponse<String> probe() throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
      URI uri = URI.create("http://127.0.0.1:" + server.port() + "/livez");
      HttpRequest request = HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(5)).build();
      return client.send(request, HttpResponse.BodyHandlers.ofString());
    }
  }

  private static ch.qos.logback.classic.Logger root() {
    return (ch.qos.logback.classic.Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);
  }

  private static ch.qos.logback.classic.Logger logger() {
    return (ch.qos.logback.classic.Logger) LoggerFactory.getLogger(HttpServer.class);
  }
}
