package org.quorumail.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
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
import org.quorumail.api.ApiRequest.Caller;
import org.quorumail.api.AuditLog.AuditEntry;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;

/** The audit log, and the tokens that it names. */
class AuditLogTest {
  @TempDir Path folder;
  private final Logger logger = (Logger) LoggerFactory.getLogger(AuditLog.class);
  private final ListAppender<ILoggingEvent> lines = new ListAppender<>();
  private FakeNode node;
  private Api api;

  @BeforeEach
  void start() {
    node = new FakeNode(folder, Map.of());
    api = new Api(node, node, node, node, node, Optional.empty());
    lines.start();
    logger.addAppender(lines);
  }

  @AfterEach
  void stop() {
    logger.detachAppender(lines);
  }

  private ApiResponse call(String method, String target, Caller caller) {
    return api.call(
        ApiRequest.ofTarget(method, target, new byte[0], caller, "user:root", "control socket"));
  }

  private List<AuditEntry> entries() {
    JsonNode page = Json.mapper().readTree(call("GET", "/api/audit", Caller.OPERATOR).body());
    return page.path("entries")
        .valueStream()
        .map(e -> Json.mapper().treeToValue(e, AuditEntry.class))
        .toList();
  }

  @Test
  void everyRouteThatChangesSomethingIsRecordedAndNoOther() {
    for (ApiRoute route : api.routes()) {
      int before = entries().size();
      String path = route.pattern().replace("{id}", "x").replace("{domain}", "a.test");
      if (path.equals("/api/events")) continue; // it waits
      call(route.method(), path, Caller.OPERATOR);
      boolean reads =
          route.method().equals("GET")
              || path.equals("/api/cluster/config/validate")
              || route.access() == ApiRoute.Access.INJECT; // event=received has each message
      assertThat(entries()).as(route.operation()).hasSize(before + (reads ? 0 : 1));
    }
    assertThat(entries()).hasSizeGreaterThan(15);
  }

  @Test
  void anEntrySaysWhoChangedWhatFromWhereAndWithWhatResult() {
    call(
        "POST",
        "/api/queue/suspend?domain=a.test&reason=see+https://u:secret@wiki/",
        Caller.OPERATOR);
    call("POST", "/api/queue/resume?domain=b.test", Caller.READ_TOKEN);
    node.quorum = false;
    call("PUT", "/api/dns/overrides/a.test?host=b.test", Caller.OPERATOR);
    assertThat(entries())
        .extracting(AuditEntry::operation, AuditEntry::status, AuditEntry::reason)
        .containsExactly(
            tuple("POST /api/queue/suspend", 200, ""),
            tuple(
                "POST /api/queue/resume",
                403,
                "this operation needs a token that may change things: yours only reads"),
            tuple("PUT /api/dns/overrides/a.test", 503, "no leader: nothing was changed"));
    AuditEntry first = entries().getFirst();
    assertThat(first.who()).isEqualTo("user:root");
    assertThat(first.from()).isEqualTo("control socket");
    assertThat(first.parameters()).isEqualTo("domain=a.test&reason=see https://***@wiki/");
    assertThat(lines.list)
        .extracting(ILoggingEvent::getFormattedMessage)
        .hasSize(3)
        .first()
        .asString()
        .startsWith("event=audit who=user:root from=\"control socket\" operation=\"POST /api/q")
        .doesNotContain("secret");
  }

  @Test
  void strangersDisplaceNothingAndFillNoLog() {
    call("POST", "/api/queue/process-now", Caller.OPERATOR);
    for (int i = 0; i < 2_000; i++) call("POST", "/api/queue/process-now", Caller.WRONG_TOKEN);
    assertThat(entries()).hasSize(1);
    assertThat(lines.list).hasSizeBetween(2, 40);
    for (int i = 0; i < 2_000; i++)
      call("POST", "/api/queue/resume?domain=" + "x".repeat(60_000), Caller.OPERATOR);
    JsonNode all =
        Json.mapper().readTree(call("GET", "/api/audit?limit=1000", Caller.OPERATOR).body());
    assertThat(all.path("entries")).hasSize(1_000);
    assertThat(all.toString().length()).isLessThan(1_000_000);
    assertThat(call("GET", "/api/audit?limit=1001", Caller.OPERATOR).status()).isEqualTo(400);
  }

  private HttpServer server(Map<String, String> keys) throws IOException {
    FakeNode other = new FakeNode(folder, keys);
    return HttpServer.start(
        new Api(other, other, other, other, other, Optional.empty()),
        other.config().health(),
        other.config().api(),
        Optional::empty);
  }

  private Map<String, String> keys(String reader, String writer) throws IOException {
    return Map.of(
        "health.listen_address",
        "127.0.0.1:0",
        "api.tokens",
        "[{ name = \"grafana\", file = '%s' }, { name = \"alice\", file = '%s', rights = \"write\" }]"
            .formatted(
                Files.writeString(folder.resolve("r"), reader),
                Files.writeString(folder.resolve("w"), writer)));
  }

  @Test
  void aTokenOfAPersonIsNamedAndHasItsRights() throws Exception {
    String reader = "reader-reader-reader";
    String writer = "writer-writer-writer";
    try (HttpServer server = server(keys(reader, writer));
        HttpClient client = HttpClient.newHttpClient()) {
      assertThat(send(client, server, "POST", "/api/queue/process-now", reader).statusCode())
          .isEqualTo(403);
      assertThat(send(client, server, "POST", "/api/queue/process-now", "wrong").statusCode())
          .isEqualTo(401);
      assertThat(send(client, server, "POST", "/api/queue/process-now", writer).statusCode())
          .isEqualTo(200);
      assertThat(send(client, server, "GET", "/api/queue", "").statusCode())
          .as("a token is set, so loopback is not open")
          .isEqualTo(401);
      HttpResponse<String> audit = send(client, server, "GET", "/api/audit", reader);
      JsonNode entries = Json.mapper().readTree(audit.body()).path("entries");
      assertThat(entries).hasSize(2);
      assertThat(entries.path(0).path("who").asString()).isEqualTo("token:grafana");
      assertThat(entries.path(1).path("who").asString()).isEqualTo("token:alice");
      assertThat(entries.path(1).path("from").asString()).isEqualTo("127.0.0.1");
    }
  }

  @Test
  void twoTokensAreNeverTheSame() {
    assertThatThrownBy(() -> server(keys("the-same-the-same", "the-same-the-same")))
        .isInstanceOf(TokenFileException.class)
        .hasMessage("api.tokens, alice: the file has the token of grafana: create another one");
  }

  private static HttpResponse<String> send(
      HttpClient client, HttpServer server, String method, String path, String token)
      throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
            .method(method, BodyPublishers.noBody());
    if (!token.isEmpty()) request.header("Authorization", "Bearer " + token);
    return client.send(request.build(), HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
  }
}
