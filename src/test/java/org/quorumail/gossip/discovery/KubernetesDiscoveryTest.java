package org.quorumail.gossip.discovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests against a server that answers like the Kubernetes API. */
class KubernetesDiscoveryTest {
  private static final String SLICES =
      "/apis/discovery.k8s.io/v1/namespaces/mail/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dquorumail";
  private static final String ENDPOINTS = "/api/v1/namespaces/mail/endpoints/quorumail";

  @TempDir private Path directory = Path.of("");
  private final Map<String, String> answers = new ConcurrentHashMap<>();
  private HttpServer server = create();
  private Path token = Path.of("");

  private static HttpServer create() {
    try {
      return HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @BeforeEach
  void start() throws IOException {
    token = Files.writeString(directory.resolve("token"), "first\n");
    server.createContext("/", this::answer);
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  private void answer(HttpExchange exchange) throws IOException {
    String given = String.valueOf(exchange.getRequestHeaders().getFirst("Authorization"));
    boolean may = given.equals("Bearer " + Files.readString(token).strip());
    String body = answers.get(exchange.getRequestURI().toString());
    byte[] bytes = (body == null ? "{}" : body).getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(!may ? 403 : body == null ? 404 : 200, bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  @Test
  void unreadyPodsCountAndTerminatingOnesDoNot() throws Exception {
    answers.put(
        SLICES,
        """
        {"kind":"EndpointSliceList","items":[
          {"addressType":"IPv4","endpoints":[
            {"addresses":["10.1.0.1"],"conditions":{"ready":true}},
            {"addresses":["10.1.0.2"],"conditions":{"ready":false}},
            {"addresses":["10.1.0.3"],"conditions":{"ready":false,"terminating":true}}]},
          {"addressType":"IPv6","endpoints":[{"addresses":["2001:db8::1"],"conditions":{}}]},
          {"addressType":"FQDN","endpoints":[{"addresses":["example.org"]}]}]}
        """);
    try (KubernetesDiscovery discovery = discovery()) {
      assertThat(discovery.find())
          .containsExactly(
              new InetSocketAddress("10.1.0.1", 7946),
              new InetSocketAddress("10.1.0.2", 7946),
              new InetSocketAddress("2001:db8::1", 7946));
    }
  }

  @Test
  void anOlderServerIsAskedForEndpoints() throws Exception {
    try (KubernetesDiscovery discovery = discovery()) {
      assertThat(discovery.find()).isEmpty();
      answers.put(
          ENDPOINTS,
          """
          {"kind":"Endpoints","subsets":[{"addresses":[{"ip":"10.1.0.1"}],
           "notReadyAddresses":[{"ip":"10.1.0.2"}]}]}
          """);
      assertThat(discovery.find())
          .containsExactly(
              new InetSocketAddress("10.1.0.1", 7946), new InetSocketAddress("10.1.0.2", 7946));
    }
  }

  @Test
  void theTokenIsReadAgainEachTime() throws Exception {
    answers.put(SLICES, "{\"items\":[]}");
    try (KubernetesDiscovery discovery = discovery()) {
      assertThat(discovery.find()).isEmpty();
      Files.writeString(token, "second");
      assertThat(discovery.find()).isEmpty();
    }
  }

  @Test
  void aForbiddenRequestNamesTheMissingPermission() throws Exception {
    Path wrong = Files.writeString(directory.resolve("wrong"), "wrong");
    URI api = URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    var settings = new KubernetesDiscovery.Settings(api, "mail", "quorumail", wrong, wrong);
    try (KubernetesDiscovery discovery = KubernetesDiscovery.open(settings, 7946)) {
      assertThatThrownBy(discovery::find)
          .isInstanceOf(IOException.class)
          .hasMessageContaining("403")
          .hasMessageContaining("list on endpointslices");
    }
  }

  @Test
  void aMalformedResponseIsAnError() throws Exception {
    try (KubernetesDiscovery discovery = discovery()) {
      answers.put(SLICES, "<html>");
      assertThatThrownBy(discovery::find).isInstanceOf(IOException.class);
      answers.put(SLICES, "{\"items\":[{\"endpoints\":[{\"addresses\":[\"evil.example.org\"]}]}]}");
      assertThatThrownBy(discovery::find)
          .isInstanceOf(IOException.class)
          .hasMessageContaining("evil.example.org");
    }
  }

  @Test
  void anUnfinishedOrEndlessResponseTimesOut() throws Exception {
    server.removeContext("/");
    server.createContext(
        "/",
        exchange -> {
          exchange.sendResponseHeaders(200, 1_000);
          exchange.getResponseBody().write('{'); // and nothing more
          exchange.getResponseBody().flush();
        });
    URI api = URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    var settings = new KubernetesDiscovery.Settings(api, "mail", "quorumail", token, token);
    try (var discovery = KubernetesDiscovery.open(settings, 7946, Duration.ofMillis(500))) {
      assertThatThrownBy(() -> assertTimeoutPreemptively(Duration.ofSeconds(5), discovery::find))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("did not answer in time");
    }
  }

  @Test
  void aMalformedTokenIsNotShown() throws Exception {
    Files.writeString(token, "not-for-the-log\nand another");
    try (KubernetesDiscovery discovery = discovery()) {
      assertThatThrownBy(discovery::find)
          .isInstanceOf(IOException.class)
          .hasMessageContaining(token.toString())
          .message()
          .doesNotContain("not-for-the-log");
    }
  }

  private KubernetesDiscovery discovery() throws IOException {
    URI api = URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    return KubernetesDiscovery.open(
        new KubernetesDiscovery.Settings(api, "mail", "quorumail", token, token), 7946);
  }
}
