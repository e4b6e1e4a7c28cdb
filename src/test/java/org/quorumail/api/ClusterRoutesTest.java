package org.quorumail.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.api.ApiRequest.Caller;

/** Orders to the leader of a group, given on a node that is not the leader. */
class ClusterRoutesTest {
  @TempDir Path folder;
  private final FakeCluster cluster = new FakeCluster();
  private final Map<String, FakeNode> nodes = new TreeMap<>();

  @BeforeEach
  void start() {
    for (String id : List.of("n1", "n2", "n3")) {
      FakeNode node = new FakeNode(folder, Map.of());
      node.leads = id.equals("n3") ? List.of("meta", "spool-n2") : List.of();
      nodes.put(id, node);
      cluster.add(id, node);
    }
    cluster.spools.put("spool-n2", List.of("n2", "n3"));
  }

  private FakeNode node(String id) {
    return Objects.requireNonNull(nodes.get(id));
  }

  private ApiResponse post(String target) {
    FakeNode node = node("n1");
    Api api = new Api(node, node, node, node, node, Optional.empty(), cluster.from("n1"));
    return api.call(
        ApiRequest.ofTarget(
            "POST", target, new byte[0], Caller.OPERATOR, "user:root", "control socket"));
  }

  private static String text(ApiResponse response) {
    return new String(response.body(), StandardCharsets.UTF_8);
  }

  @Test
  void anyNodePassesTheOrderOnToTheLeader() {
    ApiResponse meta = post("/api/cluster/elect?successor=n1");
    assertThat(meta.status()).isEqualTo(200);
    assertThat(text(meta)).contains("\"leader_id\":\"n1\"", "\"group\":\"meta\"");
    cluster.calls.clear();
    ApiResponse spool = post("/api/cluster/elect?group=spool-n2");
    assertThat(spool.status()).isEqualTo(200);
    assertThat(cluster.calls)
        .as("only nodes that hold the spool")
        .allMatch(call -> call.startsWith("n2") || call.startsWith("n3"))
        .hasSize(2);
  }

  @Test
  void aRefusalOfTheLeaderIsPassedBack() {
    node("n3").quorum = false;
    ApiResponse refused = post("/api/cluster/elect");
    assertThat(refused.status()).isEqualTo(409);
    assertThat(text(refused)).contains("no other node");
  }

  @Test
  void anOrderThatReachesNoLeaderSaysSo() {
    cluster.silent.add("n3");
    ApiResponse lost = post("/api/cluster/elect");
    assertThat(lost.status()).isEqualTo(421);
    assertThat(text(lost)).contains("meta has no leader at the moment that answers");
    assertThat(post("/api/cluster/elect?group=spool-n9").status()).isEqualTo(404);
  }

  @Test
  void aNodeStepsDownOnlyFromWhatItLeads() {
    ApiResponse follower = post("/api/cluster/step-down");
    assertThat(follower.status()).isEqualTo(409);
    assertThat(text(follower)).contains("does not lead meta");
    assertThat(post("/api/cluster/step-down?node=n3").status()).isEqualTo(200);
    assertThat(post("/api/cluster/step-down?node=n9").status()).isEqualTo(404);
  }
}
