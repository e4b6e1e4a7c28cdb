package org.quorumail.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
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
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.cluster.ClusterEvent;
import org.quorumail.metrics.Metrics;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

@Timeout(60)
class EventRoutesTest {
  @TempDir Path folder;
  private FakeNode node;
  private Metrics metrics;
  private HttpServer server;
  private final HttpClient client = HttpClient.newHttpClient();

  @BeforeEach
  void start() throws IOException {
    node = new FakeNode(folder, Map.of("health.listen_address", "127.0.0.1:0"));
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
    client.shutdownNow();
    server.close();
    metrics.close();
  }

  @Test
  void eventsArePagedByTheNumberOfTheLast() throws Exception {
    assertThat(get("/api/events").path("last").asInt()).isZero();
    add("NodeJoined");
    add("NodeFailed");
    JsonNode page = get("/api/events");
    assertThat(page.path("last").asInt()).isEqualTo(2);
    assertThat(page.path("events").get(1).path("type").asString()).isEqualTo("NodeFailed");
    assertThat(page.path("events").get(1).path("details").path("subject").asString())
        .isEqualTo("n1");
    assertThat(get("/api/events?after=1").path("events").size()).isEqualTo(1);
    assertThat(get("/api/events?after=999").path("events").size())
        .as("a number of a former life")
        .isEqualTo(2);
  }

  @Test
  void aCallerThatWaitsGetsTheNextEvent() throws Exception {
    CompletableFuture<HttpResponse<String>> waiting =
        client.sendAsync(
            request("/api/events?after=0&wait=30").build(), HttpResponse.BodyHandlers.ofString());
    add("NodeLeft");
    assertThat(waiting.get().body()).contains("NodeLeft");
  }

  @Test
  void nonsenseIsRefused() throws Exception {
    for (String query : List.of("after=x", "wait=-1", "wait=3600")) {
      HttpResponse<String> answer =
          client.send(
              request("/api/events?" + query).build(), HttpResponse.BodyHandlers.ofString());
      assertThat(answer.statusCode()).isEqualTo(400);
    }
  }

  @Test
  void aStreamGoesOnBehindTheLastEventSeen() throws Exception {
    add("First");
    add("Second");
    HttpResponse<InputStream> answer =
        client.send(
            request("/api/events")
                .header("Accept", "text/event-stream")
                .header("Last-Event-ID", "1")
                .build(),
            HttpResponse.BodyHandlers.ofInputStream());
    assertThat(answer.headers().firstValue("Content-Type")).hasValue("text/event-stream");
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(answer.body(), StandardCharsets.UTF_8));
    assertThat(event(lines)).contains("id: 2", "event: Second");
    add("Third");
    assertThat(event(lines)).contains("id: 3", "event: Third");
    lines.close();
  }

  @Test
  void eventsOfMailArePagedByTheirCursor() throws Exception {
    node.mailEvents.addAll(List.of("accepted", "deferred", "delivered"));
    JsonNode page = get("/api/events/mail?since=1h&limit=2");
    assertThat(page.path("events").findValuesAsString("type"))
        .containsExactly("accepted", "deferred");
    page = get("/api/events/mail?after=" + page.path("cursor").asString());
    assertThat(page.path("events").findValuesAsString("type")).containsExactly("delivered");
    assertThat(get("/api/events/mail").path("events")).as("only new ones").isEmpty();
    for (String query :
        List.of("after=x", "after=a:1.2,b", "wait=1h", "since=-1s", "limit=0", "limit=1001")) {
      HttpResponse<String> answer =
          client.send(
              request("/api/events/mail?" + query).build(), HttpResponse.BodyHandlers.ofString());
      assertThat(answer.statusCode()).as(query).isEqualTo(400);
    }
  }

  @Test
  void aCallerThatWaitsGetsTheNextEventOfMail() throws Exception {
    CompletableFuture<HttpResponse<String>> waiting =
        client.sendAsync(
            request("/api/events/mail?after=spool-n1:0.0&wait=30s").build(),
            HttpResponse.BodyHandlers.ofString());
    node.mailEvents.add("bounced");
    assertThat(waiting.get().body()).contains("bounced");
  }

  @Test
  void aStreamOfMailGoesOnBehindTheLastEventSeen() throws Exception {
    node.mailEvents.addAll(List.of("accepted", "deferred"));
    HttpResponse<InputStream> answer = mailStream("spool-n1:1.0");
    assertThat(answer.headers().firstValue("Content-Type")).hasValue("text/event-stream");
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(answer.body(), StandardCharsets.UTF_8));
    assertThat(event(lines)).contains("id: spool-n1:2.0", "event: deferred");
    node.mailEvents.add("delivered");
    assertThat(event(lines)).contains("id: spool-n1:3.0", "event: delivered");
    lines.close();
    assertThat(mailStream("nonsense").statusCode()).isEqualTo(400);
  }

  private HttpResponse<InputStream> mailStream(String last) throws Exception {
    return client.send(
        request("/api/events/mail")
            .header("Accept", "text/event-stream")
            .header("Last-Event-ID", last)
            .build(),
        HttpResponse.BodyHandlers.ofInputStream());
  }

  @Test
  void onlyTheLastThousandAreKept() throws Exception {
    for (int i = 0; i < 1_200; i++) add("Event" + i);
    assertThat(node.events().after(0, Duration.ZERO)).hasSize(1_000);
    assertThat(node.events().last()).isEqualTo(1_200);
  }

  private static List<String> event(BufferedReader lines) throws IOException {
    List<String> event = new ArrayList<>();
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      if (line.isEmpty()) return event;
      event.add(line);
    }
    return event;
  }

  private void add(String type) {
    node.events()
        .add(new ClusterEvent("2026-01-01T00:00:00Z", "n0", type, Map.of("subject", "n1")));
  }

  private JsonNode get(String path) throws Exception {
    HttpResponse<String> answer =
        client.send(request(path).build(), HttpResponse.BodyHandlers.ofString());
    assertThat(answer.statusCode()).isEqualTo(200);
    return JsonMapper.shared().readTree(answer.body());
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path));
  }
}
