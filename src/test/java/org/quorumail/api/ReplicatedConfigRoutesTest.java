package org.quorumail.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.api.ApiRequest.Caller;
import org.quorumail.cluster.ConfigVersion;
import tools.jackson.databind.JsonNode;

class ReplicatedConfigRoutesTest {
  private static final String PATH = "/api/cluster/config";

  @TempDir Path folder;
  private FakeNode node;
  private Api api;

  @BeforeEach
  void start() {
    node = new FakeNode(folder, Map.of());
    api = new Api(node, node, node, node, node, Optional.empty());
  }

  private ApiResponse call(String method, String target, String body, Caller caller) {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    return api.call(
        ApiRequest.ofTarget(method, target, bytes, caller, "token:api.token_file", "192.0.2.1"));
  }

  private ApiResponse call(String method, String target, String body) {
    return call(method, target, body, Caller.TOKEN);
  }

  private static JsonNode json(ApiResponse response) {
    return Json.mapper().readTree(response.body());
  }

  @Test
  void aDocumentIsSetShownComparedAndRolledBack() {
    assertThat(call("GET", PATH, "").status()).isEqualTo(404);
    assertThat(json(call("PUT", PATH + "?comment=one", "a = 1\n")).path("version").asInt())
        .isEqualTo(1);
    assertThat(json(call("PUT", PATH + "?base=1", "a = 2\n")).path("author").asString())
        .isEqualTo("token:api.token_file");
    assertThat(call("PUT", PATH + "?base=1", "a = 3\n").status()).isEqualTo(409);
    JsonNode latest = json(call("GET", PATH, ""));
    assertThat(latest.path("toml").asString()).isEqualTo("a = 2\n");
    assertThat(json(call("GET", PATH + "?version=1", "")).path("comment").asString())
        .isEqualTo("one");
    assertThat(call("GET", PATH + "?version=7", "").status()).isEqualTo(404);
    assertThat(json(call("GET", PATH + "/diff", "")).path("lines").toString())
        .isEqualTo("[\"-a = 1\",\"+a = 2\"]");
    assertThat(json(call("GET", PATH + "/diff?from=0&to=1", "")).path("lines").toString())
        .isEqualTo("[\"+a = 1\"]");
    assertThat(call("GET", PATH + "/diff?from=7", "").status()).isEqualTo(404);
    JsonNode back = json(call("POST", PATH + "/rollback?to=1", ""));
    assertThat(back.path("version").asInt()).isEqualTo(3);
    assertThat(back.path("comment").asString()).isEqualTo("rollback to version 1");
    assertThat(json(call("GET", PATH, "")).path("toml").asString()).isEqualTo("a = 1\n");
    assertThat(json(call("GET", PATH + "/history", ""))).hasSize(3);
    assertThat(json(call("GET", PATH + "/status", "")).path(0).path("version").asInt())
        .isEqualTo(3);
  }

  @Test
  void aDocumentWithProblemsChangesNothing() {
    for (String[] operation : new String[][] {{"PUT", PATH}, {"POST", PATH + "/validate"}}) {
      ApiResponse refused = call(operation[0], operation[1], "bad = 1\n");
      assertThat(refused.status()).isEqualTo(422);
      assertThat(json(refused).path("problems").toString()).contains("configuration:1: bad");
    }
    assertThat(call("POST", PATH + "/validate", "a = 1\n").status()).isEqualTo(200);
    assertThat(call("PUT", PATH, "#".repeat(ConfigVersion.TOML_MAX + 1)).status()).isEqualTo(400);
    assertThat(call("PUT", PATH + "?comment=" + "x".repeat(201), "a = 1\n").status())
        .isEqualTo(400);
    assertThat(call("PUT", PATH + "?base=one", "a = 1\n").status()).isEqualTo(400);
    node.quorum = false;
    assertThat(call("PUT", PATH, "a = 1\n").status()).isEqualTo(503);
    assertThat(node.history()).isEmpty();
  }

  @Test
  void aTokenThatOnlyReadsChangesNothing() {
    assertThat(call("PUT", PATH, "a = 1\n", Caller.READ_TOKEN).status()).isEqualTo(403);
    assertThat(call("POST", PATH + "/rollback?to=1", "", Caller.READ_TOKEN).status())
        .isEqualTo(403);
    assertThat(call("POST", PATH + "/validate", "a = 1\n", Caller.READ_TOKEN).status())
        .isEqualTo(200);
    assertThat(node.history()).isEmpty();
  }
}
