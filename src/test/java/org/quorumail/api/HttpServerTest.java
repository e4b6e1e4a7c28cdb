package org.quorumail.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.quorumail.metrics.Metrics;
import tools.jackson.databind.JsonNode;

class HttpServerTest {
  private static final String TOKEN = "0123456789abcdef-token";
  private static final String READ_TOKEN = "fedcba9876543210-reads";

  @TempDir Path folder;
  private FakeNode node;
  private Metrics metrics;
  private HttpServer server;
  private final HttpClient client = HttpClient.newHttpClient();

  @BeforeEach
  void start() throws IOException {
    Path token = Files.writeString(folder.resolve("token"), TOKEN + "\n");
    Path readToken = Files.writeString(folder.resolve("read-token"), READ_TOKEN + "\n");
    node =
        new FakeNode(
            folder,
            Map.of(
                "health.listen_address", "127.0.0.1:0",
                "api.token_file", token.toString(),
                "api.read_token_file", readToken.toString(),
                "policy.recipients.http.url",
                    "https://robot:hush@users.example.org/{address}?api_key=quiet&v=1",
                "cluster.secret", "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U="));
    metrics = new Metrics();
    server =
        HttpServer.start(
            new Api(node, node, node, node, node, Optional.of(metrics)),
            node.config().health(),
            node.config().api(),
            Optional::empty);
  }

  @AfterEach
  void stop() {
    server.close();
    metrics.close();
    client.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"/livez", "/health/live", "/health/livez", "/readyz", "/health/readyz"})
  void aHealthyNodeAnswersOkToProbes(String path) throws Exception {
    HttpResponse<String> answer = get(path);
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.body()).isEqualTo("OK");
  }

  /** Helidon throws at them where a client of good faith cannot come. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "G\0T /livez HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /livez HTTP/1.1\r\nHost: x\r\nA\u0001b: c\r\n\r\n",
        "GET /livez HTTP/1.1\r\nHost: x\r\nA: b\u0001c\r\n\r\n",
        "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /livez?%zz=%\u0001 HTTP/1.1\r\nHost: x\r\n\r\n"
      })
  void anUnreadableRequestIsTheFaultOfItsClient(String request) throws Exception {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
      socket.setSoTimeout(10_000);
      socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
      socket.shutdownOutput();
      String answer =
          new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
      assertThat(answer).startsWith("HTTP/1.1 ").doesNotStartWith("HTTP/1.1 500");
    }
  }

  @Test
  void aNodeWhoseSpoolIsNotReadySaysWhatIsMissing() throws Exception {
    node.spoolReady = false;
    HttpResponse<String> answer = get("/readyz");
    assertThat(answer.statusCode()).isEqualTo(503);
    JsonNode body = json(answer);
    assertThat(body.propertyNames())
        .containsExactlyInAnyOrder(
            "alive",
            "ready",
            "smtp_ready",
            "spool_ready",
            "delivery_ready",
            "dns_ready",
            "cluster_ready",
            "queue_size",
            "max_queue_size");
    assertThat(body.get("spool_ready").asBoolean()).isFalse();
    assertThat(get("/livez").statusCode()).isEqualTo(200);
  }

  @Test
  void theLivenessProbeDoesNotComputeTheHealth() throws Exception {
    node.broken = true;
    assertThat(get("/livez").statusCode()).isEqualTo(200);
    node.alive = false;
    assertThat(get("/livez").statusCode()).isEqualTo(503);
  }

  @Test
  void overallHealthNamesTheStateOfTheCluster() throws Exception {
    assertThat(json(get("/health")).get("cluster_state").asString()).isEqualTo("Healthy");
  }

  @Test
  void overallHealthNamesEachCheck() throws Exception {
    assertThat(json(get("/health")).get("status").asString()).isEqualTo("Healthy");
    node.spoolReady = false;
    JsonNode degraded = json(get("/healthz"));
    assertThat(degraded.get("status").asString()).isEqualTo("Degraded");
    assertThat(degraded.get("checks").get("spool").asString()).isEqualTo("Unhealthy");
  }

  @Test
  void aClockThatWasSetDegradesTheHealthButTheNodeStaysReady() throws Exception {
    node.clockSteady = false;
    JsonNode stepped = json(get("/health"));
    assertThat(stepped.get("status").asString()).isEqualTo("Degraded");
    assertThat(stepped.get("checks").get("clock").asString()).isEqualTo("Degraded");
    assertThat(get("/readyz").statusCode()).isEqualTo(200);
  }

  @Test
  void aReplicaThatIsNotWaitedForDegradesTheHealthAndIsNamed() throws Exception {
    node.groupsBehind = List.of("spool-n2");
    JsonNode health = json(get("/health"));
    assertThat(health.get("status").asString()).isEqualTo("Degraded");
    assertThat(health.get("checks").get("replicas").asString())
        .isEqualTo("Degraded: has not caught up with spool-n2");
    assertThat(get("/readyz").statusCode()).isEqualTo(200);
  }

  @Test
  void aMissingNodeIsDegradedAndMailStillFlows() throws Exception {
    node.unhealthyNodes = 1;
    HttpResponse<String> answer = get("/health");
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(json(answer).get("status").asString()).isEqualTo("Degraded");
    assertThat(json(answer).get("checks").get("nodes").asString()).isEqualTo("Degraded");
    assertThat(get("/readyz").statusCode()).isEqualTo(200);
  }

  @Test
  void aNodeWithoutQuorumIsUnhealthy() throws Exception {
    node.quorum = false;
    HttpResponse<String> answer = get("/health");
    assertThat(answer.statusCode()).isEqualTo(503);
    assertThat(json(answer).get("status").asString()).isEqualTo("Unhealthy");
    assertThat(get("/livez").statusCode()).as("a restart would not help").isEqualTo(200);
    node.stopped = true;
    assertThat(get("/health").statusCode()).as("a node that leaves").isEqualTo(200);
  }

  @Test
  void clusterStatusHasTheDocumentedFields() throws Exception {
    JsonNode status = json(get("/cluster/status"));
    assertThat(status.propertyNames())
        .containsExactlyInAnyOrder(
            "total_nodes",
            "healthy_nodes",
            "unhealthy_nodes",
            "leader_id",
            "state",
            "term",
            "local_node",
            "warning");
    assertThat(status.get("local_node").propertyNames())
        .containsExactlyInAnyOrder("id", "role", "status", "uptime_seconds");
    assertThat(get("/api/cluster/status").body()).isEqualTo(get("/cluster/status").body());
  }

  @Test
  void clusterNodesAreListedAndFoundById() throws Exception {
    assertThat(json(get("/cluster/nodes")).get(0).get("metadata").propertyNames())
        .contains("active_connections", "messages_processed", "memory_usage_mb");
    assertThat(json(get("/api/cluster/nodes/n1")).get("id").asString()).isEqualTo("n1");
    assertThat(get("/cluster/nodes/n9").statusCode()).isEqualTo(404);
  }

  @Test
  void theQueueIsListedPageByPage() throws Exception {
    JsonNode page = json(get("/api/queue?limit=1"));
    assertThat(page.get("messages").get(0).get("id").asString()).isEqualTo(node.first.toString());
    JsonNode next = json(get("/api/queue?limit=1&cursor=" + page.get("cursor").asString()));
    assertThat(next.get("messages").get(0).get("id").asString()).isEqualTo(node.second.toString());
    assertThat(next.get("cursor").isNull()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"limit=0", "limit=x", "limit=99999", "status=dead", "older_than=1", "cursor=%2e"})
  void aWrongFilterIsAClientsError(String query) throws Exception {
    HttpResponse<String> answer = get("/api/queue?" + query);
    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/problem+json");
  }

  @Test
  void writingWantsTheToken() throws Exception {
    String path = "/api/queue/" + node.first + "/hold";
    assertThat(send("POST", path, "").statusCode()).isEqualTo(401);
    assertThat(send("POST", path, "Bearer wrong").statusCode()).isEqualTo(401);
    assertThat(send("POST", path, "Basic " + TOKEN).statusCode()).isEqualTo(401);
    assertThat(node.statuses.get(node.first)).isEqualTo("retry");
    assertThat(send("POST", path, "Bearer " + TOKEN).statusCode()).isEqualTo(200);
    assertThat(node.statuses.get(node.first)).isEqualTo("held");
  }

  @Test
  void aWrongTokenIsRefusedEvenForReading() throws Exception {
    assertThat(send("GET", "/api/queue", "Bearer wrong").statusCode()).isEqualTo(401);
    assertThat(send("GET", "/api/queue", "Bearer " + TOKEN).statusCode()).isEqualTo(200);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/api/queue", "/metrics", "/api/config", "/cluster/status"})
  void readingWantsATokenOnLoopbackToo(String path) throws Exception {
    assertThat(send("GET", path, "").statusCode()).isEqualTo(401);
    assertThat(send("GET", path, "Bearer " + READ_TOKEN).statusCode()).isEqualTo(200);
    assertThat(send("GET", path, "Bearer " + TOKEN).statusCode()).isEqualTo(200);
  }

  @Test
  void theTokenForReadingChangesNothing() throws Exception {
    String path = "/api/queue/" + node.first + "/hold";
    assertThat(send("POST", path, "Bearer " + READ_TOKEN).statusCode()).isEqualTo(403);
    assertThat(node.statuses.get(node.first)).isEqualTo("retry");
  }

  @Test
  void oneTokenForBothPurposesIsRefused() {
    String token = folder.resolve("token").toString();
    FakeNode other =
        new FakeNode(
            folder,
            Map.of(
                "health.listen_address", "127.0.0.1:0",
                "api.token_file", token,
                "api.read_token_file", token));
    assertThatThrownBy(() -> start(other))
        .isInstanceOf(TokenFileException.class)
        .hasMessageContaining("api.read_token_file");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "127.0.0.1",
        "127.0.0.1:8080",
        "127.9.9.9",
        "localhost",
        "LOCALHOST:8080",
        "[::1]:8080"
      })
  void aNodeWithoutTokensIsReadByTheNamesOfItsHost(String host) throws Exception {
    try (HttpServer open = start(withoutTokens())) {
      String request = "GET /api/queue HTTP/1.1~Host: " + host + "~~";
      assertThat(raw(open, request.replace("~", "\r\n"))).startsWith("HTTP/1.1 200");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "evil.example.org:8080~|401",
        "localhost.evil.example.org~|401",
        "127.0.0.1.evil.example.org~|401",
        "127.0.0.1~Forwarded: for=192.0.2.1~|401",
        "127.0.0.1~X-Forwarded-For: 192.0.2.1~|401",
        "127.0.0.1~X-Real-IP: 192.0.2.1~|401",
        "127.0.0.1~Via: 1.1 cache~|401",
        "127.0.0.1~X-Forwarded-Host: mx.example.org~|401",
        "127.0.0.1~X-Forwarded-Proto: https~|401",
        "127.0.0.1:8080~Origin: http://127.0.0.1:8080~Origin: http://evil.example.org~|403",
        "127.0.0.1:8080~Sec-Fetch-Site: none~Sec-Fetch-Site: cross-site~|403",
        "127.0.0.1:8080~Origin: http://evil.example.org~|403",
        "127.0.0.1:8080~Origin: http://127.0.0.1:9090~|403",
        "127.0.0.1:8080~Origin: null~|403",
        "127.0.0.1:8080~Sec-Fetch-Site: cross-site~|403",
        "127.0.0.1:8080~Sec-Fetch-Site: same-site~|403",
        "127.0.0.1:8080~Origin: http://127.0.0.1:8080~Sec-Fetch-Site: same-origin~|200"
      })
  void aPageOfAnotherSiteReadsNothing(String headers, int status) throws Exception {
    try (HttpServer open = start(withoutTokens())) {
      String request = "GET /api/queue HTTP/1.1~Host: " + headers + "~";
      assertThat(raw(open, request.replace("~", "\r\n"))).isEqualTo("HTTP/1.1 " + status);
      String probe = "GET /livez HTTP/1.1~Host: " + headers + "~";
      assertThat(raw(open, probe.replace("~", "\r\n"))).isEqualTo("HTTP/1.1 200");
    }
  }

  @Test
  void passwordsInUrlsAreNotInTheConfiguration() throws Exception {
    assertThat(get("/api/config").body())
        .contains("https://***@users.example.org/{address}?api_key=***&v=1")
        .doesNotContain("hush")
        .doesNotContain("quiet");
  }

  @Test
  void aTokenInTheUrlIsRefused() throws Exception {
    HttpResponse<String> answer = get("/api/queue?access_token=" + TOKEN);
    assertThat(answer.statusCode()).isEqualTo(401);
    assertThat(answer.body()).doesNotContain(TOKEN);
  }

  @Test
  void shutdownGoesThroughTheControlSocketOnly() throws Exception {
    assertThat(send("POST", "/api/system/shutdown", "Bearer " + TOKEN).statusCode()).isEqualTo(403);
    assertThat(node.stopped).isFalse();
  }

  @Test
  void aWriteWithoutQuorumIsNeverALocalSuccess() throws Exception {
    node.quorum = false;
    HttpResponse<String> answer = send("DELETE", "/api/queue/" + node.first, "Bearer " + TOKEN);
    assertThat(answer.statusCode()).isEqualTo(503);
    assertThat(node.statuses).containsKey(node.first);
  }

  @ParameterizedTest
  @CsvSource({"TRACE,/livez", "PUT,/api/queue", "POST,/cluster/status", "DELETE,/metrics"})
  void aMethodThatAPathDoesNotTakeIsRefused(String method, String path) throws Exception {
    assertThat(send(method, path, "").statusCode()).isEqualTo(405);
  }

  @Test
  void aMethodOverrideHeaderHasNoEffect() throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(uri("/api/queue/" + node.first))
            .header("Authorization", "Bearer " + TOKEN)
            .header("X-HTTP-Method-Override", "DELETE")
            .build();
    assertThat(client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode())
        .isEqualTo(200);
    assertThat(node.statuses).containsKey(node.first);
  }

  @Test
  void secretsAreNotInTheConfiguration() throws Exception {
    HttpResponse<String> answer = get("/api/config");
    assertThat(answer.body()).contains("\"secret\":\"***\"").doesNotContain("c2VjcmV0");
  }

  @Test
  void metricsAreInPrometheusFormatAndCanBeChosenByName() throws Exception {
    metrics.registry().counter("smtp.connections").increment();
    assertThat(get("/metrics").body()).contains("smtp_connections_total 1.0", "jvm_memory_used");
    assertThat(get("/metrics?name%5B%5D=smtp_connections_total").body())
        .contains("smtp_connections_total 1.0")
        .doesNotContain("jvm_memory_used");
  }

  @Test
  void anErrorInsideTellsNothingToTheOutside() throws Exception {
    node.broken = true;
    HttpResponse<String> answer = get("/health");
    assertThat(answer.statusCode()).isEqualTo(500);
    assertThat(answer.body()).doesNotContain("secret").doesNotContain("at org");
  }

  @Test
  void aBodyThatIsTooLongIsRefused() throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(uri("/api/reload"))
            .header("Authorization", "Bearer " + TOKEN)
            .POST(HttpRequest.BodyPublishers.ofByteArray(new byte[ApiRequest.MAX_BODY + 1]))
            .build();
    assertThat(client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode())
        .isEqualTo(413);
  }

  @Test
  void aCompressedBodyIsRefusedUnread() throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(uri("/api/reload"))
            .header("Authorization", "Bearer " + TOKEN)
            .header("Content-Encoding", "gzip")
            .POST(HttpRequest.BodyPublishers.ofByteArray(new byte[10]))
            .build();
    assertThat(client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode())
        .isEqualTo(415);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "POST /api/reload HTTP/1.1~Host: x~Content-Length: 5~Transfer-Encoding: chunked~~0~~",
        "POST /api/reload HTTP/1.1~Host: x~Content-Length: 5~Content-Length: 6~~abcdef",
        "GET /livez HTTP/1.1~Host: x~X-A: b~ folded~~",
        "GET /livez HTTP/1.1\nHost: x\n\n"
      })
  void ambiguousRequestsAreRefused(String request) throws Exception {
    assertThat(raw(request.replace("~", "\r\n"))).startsWith("HTTP/1.1 400");
  }

  @Test
  void theServerOutlivesRubbish() throws Exception {
    raw("\0\1\2\3".repeat(100) + "\r\n\r\n");
    raw("GET /" + "x".repeat(20_000) + " HTTP/1.1\r\n\r\n");
    assertThat(get("/livez").statusCode()).isEqualTo(200);
  }

  @Test
  void aTakenPortIsOneSentence() {
    FakeNode other =
        new FakeNode(folder, Map.of("health.listen_address", "127.0.0.1:" + server.port()));
    assertThatThrownBy(
            () ->
                HttpServer.start(
                    new Api(other, other, other, other, other, Optional.of(metrics)),
                    other.config().health(),
                    other.config().api(),
                    Optional::empty))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("health.listen_address")
        .hasMessageContaining("port " + server.port());
  }

  private FakeNode withoutTokens() {
    return new FakeNode(folder, Map.of("health.listen_address", "127.0.0.1:0"));
  }

  private HttpServer start(FakeNode other) throws IOException {
    return HttpServer.start(
        new Api(other, other, other, other, other, Optional.of(metrics)),
        other.config().health(),
        other.config().api(),
        Optional::empty);
  }

  private HttpResponse<String> get(String path) throws Exception {
    return send("GET", path, "Bearer " + READ_TOKEN);
  }

  private HttpResponse<String> send(String method, String path, String authorization)
      throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(uri(path)).method(method, HttpRequest.BodyPublishers.noBody());
    if (!authorization.isEmpty()) request.header("Authorization", authorization);
    return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  private URI uri(String path) {
    return URI.create("http://127.0.0.1:" + server.port() + path);
  }

  private static JsonNode json(HttpResponse<String> answer) {
    return Json.mapper().readTree(answer.body());
  }

  /** The reply of the server to these bytes, until it closes or falls silent. */
  private String raw(String request) throws IOException {
    return raw(server, request);
  }

  private static String raw(HttpServer to, String request) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), to.port())) {
      socket.setSoTimeout(2_000);
      socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
      InputStream in = socket.getInputStream();
      byte[] answer = in.readNBytes(12);
      return new String(answer, StandardCharsets.ISO_8859_1);
    } catch (java.net.SocketException e) {
      return "";
    }
  }
}
