package org.quorumail.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.api.ApiRequest.Caller;
import org.quorumail.api.MaintenanceView.MaintenanceOrder;

class MaintenanceRoutesTest {
  @TempDir Path folder;
  private final FakeCluster cluster = new FakeCluster();
  private final Map<String, FakeNode> nodes = new TreeMap<>();

  @BeforeEach
  void start() {
    for (String id : List.of("n1", "n2")) {
      FakeNode node = new FakeNode(folder, Map.of());
      nodes.put(id, node);
      cluster.add(id, node);
    }
  }

  private FakeNode node(String id) {
    return Objects.requireNonNull(nodes.get(id));
  }

  private ApiResponse call(String method, String target) {
    return call(method, target, Caller.OPERATOR);
  }

  private ApiResponse call(String method, String target, Caller caller) {
    FakeNode node = node("n1");
    Api api = new Api(node, node, node, node, node, Optional.empty(), cluster.from("n1"));
    return api.call(
        ApiRequest.ofTarget(method, target, new byte[0], caller, "user:root", "control socket"));
  }

  private static String text(ApiResponse response) {
    return new String(response.body(), StandardCharsets.UTF_8);
  }

  @Test
  void anOrderHasAllItsParameters() {
    ApiResponse response =
        call("POST", "/maintenance/enter?drain_timeout=90s&reason=new+disk&target=n2&target=n3");
    assertThat(response.status()).isEqualTo(200);
    assertThat(node("n1").maintenance)
        .isEqualTo(
            new MaintenanceOrder(Duration.ofSeconds(90), true, "new disk", List.of("n2", "n3")));
    assertThat(text(response)).contains("\"state\":\"maintenance\"", "\"in_doubt\":0");
    assertThat(text(call("GET", "/api/maintenance"))).contains("new disk");
    assertThat(call("GET", "/readyz", Caller.REMOTE).status()).isEqualTo(503);
    assertThat(text(call("GET", "/health", Caller.REMOTE)))
        .contains("\"maintenance\":\"Degraded\"", "\"status\":\"Degraded\"");
    assertThat(text(call("GET", "/api/system/status"))).contains("\"state\":\"maintenance\"");
    assertThat(text(call("POST", "/api/maintenance/exit"))).contains("\"state\":\"active\"");
    assertThat(node("n1").maintenance).isNull();
    assertThat(call("GET", "/readyz", Caller.REMOTE).status()).isEqualTo(200);
  }

  @Test
  void withoutParametersTheDocumentedDefaultsCount() {
    assertThat(call("POST", "/api/maintenance/enter").status()).isEqualTo(200);
    assertThat(node("n1").maintenance)
        .isEqualTo(new MaintenanceOrder(Duration.ofMinutes(5), true, "", List.of()));
  }

  @Test
  void anyNodeSetsAnotherOneToMaintenance() {
    assertThat(call("POST", "/maintenance/enter?node=n2&migrate=false&reason=a%26b").status())
        .isEqualTo(200);
    assertThat(node("n1").maintenance).isNull();
    assertThat(node("n2").maintenance)
        .isEqualTo(new MaintenanceOrder(Duration.ofMinutes(5), false, "a&b", List.of()));
    assertThat(text(call("GET", "/maintenance?node=n2"))).contains("a&b");
    node("n2").maintenanceRefusal = "no other node is ready";
    ApiResponse refused = call("POST", "/maintenance/enter?node=n2");
    assertThat(refused.status()).isEqualTo(409);
    assertThat(text(refused)).contains("no other node is ready");
    assertThat(call("POST", "/maintenance/exit?node=n2").status()).isEqualTo(200);
    assertThat(node("n2").maintenance).isNull();
  }

  @Test
  void badRequestsAreRefusedInOneSentence() {
    assertThat(text(call("POST", "/maintenance/enter?drain_timeout=2h"))).contains("1s to 1h");
    assertThat(text(call("POST", "/maintenance/enter?drain_timeout=soon")))
        .contains("drain_timeout: not a duration");
    assertThat(call("POST", "/maintenance/enter?migrate=perhaps").status()).isEqualTo(400);
    assertThat(call("POST", "/maintenance/enter?node=n2&drain_timeout=0s").status()).isEqualTo(400);
    ApiResponse unknown = call("POST", "/maintenance/enter?node=n9");
    assertThat(unknown.status()).isEqualTo(404);
    assertThat(text(unknown)).contains("n9 is no member");
    cluster.silent.add("n2");
    assertThat(call("GET", "/maintenance?node=n2").status()).isEqualTo(503);
    assertThat(call("POST", "/maintenance/enter", Caller.READ_TOKEN).status()).isEqualTo(403);
    assertThat(call("POST", "/maintenance/enter", Caller.LOOPBACK).status()).isEqualTo(401);
    assertThat(call("GET", "/maintenance", Caller.LOOPBACK).status()).isEqualTo(200);
    assertThat(node("n1").maintenance).isNull();
  }
}
