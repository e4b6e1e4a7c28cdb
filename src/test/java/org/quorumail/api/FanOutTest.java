package org.quorumail.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.api.ApiRequest.Caller;
import org.quorumail.mail.QueueId;
import tools.jackson.databind.JsonNode;

/** Three nodes; each has a spool that no other has. */
class FanOutTest {
  @TempDir Path folder;
  private final FakeCluster cluster = new FakeCluster();
  private final Map<String, FakeNode> nodes = new TreeMap<>();

  @BeforeEach
  void start() {
    for (String id : List.of("n1", "n2", "n3")) {
      FakeNode node = new FakeNode(folder, Map.of());
      nodes.put(id, node);
      cluster.add(id, node);
      cluster.spools.put("spool-" + id, List.of(id));
    }
  }

  private FakeNode node(String id) {
    return Objects.requireNonNull(nodes.get(id));
  }

  private Api api() {
    FakeNode node = node("n1");
    return new Api(node, node, node, node, node, Optional.empty(), cluster.from("n1"));
  }

  private ApiResponse call(String method, String target) {
    return call(api(), method, target, Caller.OPERATOR);
  }

  private static ApiResponse call(Api api, String method, String target, Caller caller) {
    return api.call(
        ApiRequest.ofTarget(method, target, new byte[0], caller, "user:root", "control socket"));
  }

  private static JsonNode json(ApiResponse response) {
    return Json.mapper().readTree(response.body());
  }

  private static List<String> texts(JsonNode list) {
    return list.valueStream().map(JsonNode::asString).toList();
  }

  @Test
  void aMessageOfAnotherNodeIsViewedAndChanged() {
    QueueId id = node("n3").second;
    String path = "/api/queue/" + id;
    assertThat(json(call("GET", path)).path("id").asString()).isEqualTo(id.toString());
    assertThat(json(call("GET", path + "/text")).path("header").asString()).contains("Subject: a");
    assertThat(call("POST", path + "/hold").status()).isEqualTo(200);
    assertThat(node("n3").statuses).containsEntry(id, "held");
    ApiResponse held = call("POST", path + "/retry");
    assertThat(held.status()).isEqualTo(409);
    assertThat(held.contentType()).isEqualTo("application/problem+json");
    assertThat(call("POST", path + "/release").status()).isEqualTo(200);
    assertThat(call("POST", path + "/retry").status()).isEqualTo(200);
    node("n3").quorum = false;
    assertThat(json(call("DELETE", path)).path("detail").asString()).contains("no quorum");
    node("n3").quorum = true;
    assertThat(call("DELETE", path).status()).isEqualTo(200);
    assertThat(node("n3").statuses).doesNotContainKey(id);
  }

  @Test
  void aChangeGoesToTheNodeThatHasTheMessageAlone() {
    call("POST", "/api/queue/" + node("n3").second + "/hold");
    assertThat(cluster.calls).filteredOn(c -> c.contains("/hold")).hasSize(1);
    cluster.calls.clear();
    call("POST", "/api/queue/" + node("n1").second + "/hold");
    call("GET", "/api/queue/not-an-id");
    assertThat(cluster.calls).isEmpty();
  }

  @Test
  void aMessageThatNoNodeHasIsNotFoundUnlessASpoolWasNotAsked() {
    String path = "/api/queue/" + QueueId.generate(Instant.ofEpochSecond(5));
    for (String verb : List.of("GET ", "DELETE ")) {
      ApiResponse nowhere = call(verb.strip(), path);
      assertThat(nowhere.status()).isEqualTo(404);
      assertThat(json(nowhere).path("detail").asString()).contains("no message with this id");
    }
    cluster.silent.add("n3");
    ApiResponse unknown = call("GET", path);
    assertThat(unknown.status()).isEqualTo(503);
    assertThat(json(unknown).path("detail").asString())
        .isEqualTo("no message with this id is on the nodes that answer; n3 does not");
    assertThat(call("POST", path + "/retry").status()).isEqualTo(503);
    cluster.spools.put("spool-n3", List.of("n3", "n2"));
    assertThat(call("GET", path).status()).isEqualTo(404);
  }

  @Test
  void aSweepReachesEveryNodeAndNamesThoseThatItDoesNotReach() {
    JsonNode all = json(call("POST", "/api/queue/process-now"));
    assertThat(all.path("nodes").asInt()).isEqualTo(3);
    assertThat(all.path("unanswered")).isEmpty();
    cluster.silent.add("n2");
    JsonNode some = json(call("POST", "/api/queue/process-now"));
    assertThat(some.path("nodes").asInt()).isEqualTo(2);
    assertThat(texts(some.path("unanswered"))).containsExactly("n2");
  }

  @Test
  void anOrderThatTheClusterKeepsNeedsNoOtherNode() {
    JsonNode suspended =
        json(call("POST", "/api/queue/suspend?domain=example.net&for=90s&reason=full+disk"));
    assertThat(suspended.path("seconds_left").asInt()).isEqualTo(90);
    assertThat(suspended.path("reason").asString()).isEqualTo("full disk");
    assertThat(suspended.path("author").asString()).isEqualTo("user:root");
    assertThat(call("POST", "/api/queue/resume?domain=example.net").status()).isEqualTo(200);
    assertThat(call("POST", "/api/queue/resume?domain=example.net").status()).isEqualTo(404);
    call("PUT", "/api/dns/overrides/example.net?host=a.example.org");
    assertThat(call("DELETE", "/api/dns/overrides/example.net").status()).isEqualTo(200);
    assertThat(cluster.calls).isEmpty();
  }

  @Test
  void withoutAQuorumAnOrderIsRefusedInOneSentenceAndChangesNothing() {
    node("n1").quorum = false;
    for (String order :
        List.of(
            "POST /api/queue/suspend?domain=example.net",
            "POST /api/queue/resume?domain=example.net",
            "POST /api/queue/reroute?domain=example.net&to=b.test",
            "PUT /api/dns/overrides/example.net?host=b.test",
            "DELETE /api/dns/overrides/example.net")) {
      String[] words = order.split(" ");
      ApiResponse refused = call(words[0], words[1]);
      assertThat(refused.status()).as(order).isEqualTo(503);
      assertThat(json(refused).path("detail").asString()).contains("nothing was changed");
    }
    assertThat(node("n1").suspended).isEmpty();
    assertThat(node("n1").hosts).isEmpty();
    assertThat(cluster.calls).isEmpty();
  }

  @Test
  void aSuspensionOfUnreasonableLengthOrReasonIsRefused() {
    for (String wrong : List.of("for=366d", "for=0s", "reason=" + "x".repeat(201)))
      assertThat(call("POST", "/api/queue/suspend?domain=example.net&" + wrong).status())
          .as(wrong)
          .isEqualTo(400);
    assertThat(node("n1").suspended).isEmpty();
  }

  @Test
  void aNodeOfAnOlderReleaseIsRefusedAnOrderToThisNodeAlone() throws Exception {
    for (String order :
        List.of(
            "POST /api/queue/suspend?domain=example.net",
            "POST /api/queue/resume?domain=example.net",
            "PUT /api/dns/overrides/example.net?host=b.test",
            "DELETE /api/dns/overrides/example.net")) {
      String[] words = order.split(" ");
      assertThat(cluster.from("n2").call("n1", words[0], words[1], Duration.ofSeconds(1)))
          .get()
          .extracting(NodeAnswer::status)
          .isEqualTo(409);
    }
  }

  @Test
  void aRerouteIsInForceOnAllNodesAndCountsTheMailOfAll() {
    JsonNode rerouted =
        json(call("POST", "/api/queue/reroute?domain=example.net&to=relay.example.org:2525"));
    assertThat(rerouted.path("due").asInt()).isEqualTo(3);
    assertThat(rerouted.path("nodes").asInt()).isEqualTo(3);
    assertThat(nodes.values())
        .allSatisfy(
            n -> {
              assertThat(n.hosts).containsEntry("example.net", "relay.example.org:2525");
              assertThat(n.statuses).containsEntry(n.first, "pending");
            });
  }

  private void suspend(String node, String domain, int seconds) {
    node(node)
        .suspended
        .put(domain, FakeNode.suspension(domain, Duration.ofSeconds(seconds), "", "user:root"));
  }

  /** A node that was away gets them a moment later than the others. */
  @Test
  void suspensionsAndOverridesNameTheNodesThatHaveThem() {
    suspend("n1", "all.test", 5);
    suspend("n2", "all.test", 9);
    suspend("n3", "some.test", 7);
    JsonNode suspensions = json(call("GET", "/api/queue/suspensions"));
    assertThat(suspensions).hasSize(2);
    assertThat(suspensions.path(0).path("domain").asString()).isEqualTo("all.test");
    assertThat(suspensions.path(0).path("seconds_left").asInt()).isEqualTo(9);
    assertThat(texts(suspensions.path(0).path("nodes"))).containsExactly("n1", "n2");
    assertThat(texts(suspensions.path(1).path("nodes"))).containsExactly("n3");
    node("n1").hosts.put("all.test", "one.test:25");
    node("n2").hosts.put("all.test", "two.test:25");
    node("n3").hosts.put("all.test", "two.test:25");
    JsonNode overrides = json(call("GET", "/api/dns/overrides"));
    assertThat(overrides).hasSize(2);
    assertThat(texts(overrides.path(0).path("nodes"))).containsExactly("n1");
    assertThat(texts(overrides.path(1).path("nodes"))).containsExactly("n2", "n3");
    cluster.silent.add("n3");
    assertThat(texts(json(call("GET", "/api/dns/overrides")).path(1).path("nodes")))
        .containsExactly("n2");
  }

  @Test
  void aTraceComesFromTheNodeThatHasIt() {
    String there = "/api/trace/" + node("n3").first;
    assertThat(json(call("GET", there)).path("id").asString())
        .isEqualTo(node("n3").first.toString());
    cluster.silent.add("n3");
    assertThat(call("GET", there).status()).isIn(404, 503);
  }

  @Test
  void anAnswerOfOneNodeNamesIt() {
    assertThat(json(call("GET", "/api/spool/stats")).path("node").asString()).isEqualTo("n1");
    JsonNode cleaned = json(call("POST", "/api/spool/cleanup-completed"));
    assertThat(cleaned.path("node").asString()).isEqualTo("n1");
    assertThat(cleaned.path("bytes_after").asLong()).isEqualTo(4_096);
    assertThat(cluster.calls).isEmpty();
  }

  @Test
  void anOrderThatIsRefusedHereReachesNobody() {
    assertThat(call("POST", "/api/queue/suspend").status()).isEqualTo(400);
    Api api = api();
    String suspend = "/api/queue/suspend?domain=example.net";
    assertThat(call(api, "POST", suspend, Caller.READ_TOKEN).status()).isEqualTo(403);
    String delete = "/api/queue/" + node("n3").first;
    assertThat(call(api, "DELETE", delete, Caller.REMOTE).status()).isEqualTo(401);
    assertThat(cluster.calls).isEmpty();
    assertThat(node("n3").statuses).hasSize(2);
  }

  @Test
  void aNodeThatStandsAloneAnswersAsBefore() {
    FakeNode node = node("n1");
    Api alone = new Api(node, node, node, node, node, Optional.empty());
    ApiResponse done = call(alone, "POST", "/api/queue/process-now", Caller.OPERATOR);
    assertThat(new String(done.body(), StandardCharsets.UTF_8)).isEqualTo("{\"done\":true}");
    String other = "/api/queue/" + node("n3").first;
    assertThat(call(alone, "GET", other, Caller.OPERATOR).status()).isEqualTo(404);
    assertThat(json(call(alone, "GET", "/api/spool/stats", Caller.OPERATOR)).has("node")).isFalse();
    assertThat(cluster.calls).isEmpty();
  }
}
