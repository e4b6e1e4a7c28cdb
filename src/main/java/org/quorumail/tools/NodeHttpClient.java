package org.quorumail.tools;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A client of a node's HTTP API and metrics. Results are empty while the node does not respond. */
public final class NodeHttpClient {
  private static final Duration TIMEOUT = Duration.ofSeconds(2);
  private static final JsonMapper JSON = JsonMapper.shared();

  /** One client for all nodes of a run, so that connections are reused. */
  private static final HttpClient CLIENT =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(1))
          .build();

  private final String base;

  NodeHttpClient(InetSocketAddress address) {
    this.base = "http://" + address.getHostString() + ":" + address.getPort();
  }

  public String url() {
    return base + "/";
  }

  public boolean isReady() {
    return get("/readyz").filter(response -> response.statusCode() == 200).isPresent();
  }

  /** The number of messages in the queue without a final outcome. */
  public OptionalLong queueSize() {
    return getJson("/api/queue/stats")
        .map(stats -> stats.path("total"))
        .filter(JsonNode::isIntegralNumber)
        .map(total -> OptionalLong.of(total.longValue()))
        .orElse(OptionalLong.empty());
  }

  /** True when the node has a message with this queue id. */
  public Optional<Boolean> hasMessage(String queueId) {
    return get("/api/queue/" + queueId)
        .filter(response -> response.statusCode() == 200 || response.statusCode() == 404)
        .map(response -> response.statusCode() == 200);
  }

  /** The status of each node by its id, as this node sees the cluster. */
  public Map<String, String> nodeStatuses() {
    return nodes("status");
  }

  /** The role of each node in the meta group by its id, as this node sees the cluster. */
  public Map<String, String> nodeRoles() {
    return nodes("role");
  }

  /** The number of members that vote in each group of which this node is one. */
  public Map<String, Integer> replicas() {
    Map<String, Integer> replicas = new TreeMap<>();
    JsonNode stats = getJson("/api/cluster/replication/stats").orElse(JSON.createObjectNode());
    for (JsonNode group : stats.path("spools")) {
      replicas.put(group.path("name").asString(""), group.path("replicas").asInt(0));
    }
    return replicas;
  }

  private Map<String, String> nodes(String field) {
    Map<String, String> values = new TreeMap<>();
    for (JsonNode node : getJson("/api/cluster/nodes").orElse(JSON.createArrayNode())) {
      values.put(node.path("id").asString(""), node.path(field).asString(""));
    }
    return values;
  }

  /** The state of the cluster as this node sees it, else an empty text. */
  public String clusterState() {
    return getJson("/api/cluster/status").map(s -> s.path("state").asString("")).orElse("");
  }

  /** The cluster events of this node, each as {@code type:subject}. */
  public List<String> events() {
    List<String> events = new ArrayList<>();
    for (JsonNode event :
        getJson("/api/events").map(page -> page.path("events")).orElse(JSON.createArrayNode())) {
      JsonNode details = event.path("details");
      String subject = details.path("subject").asString(details.path("leader").asString(""));
      events.add(event.path("type").asString("") + ":" + subject);
    }
    return events;
  }

  /**
   * The value of one series of {@code /metrics}; NaN when the node does not export it.
   *
   * @param series name and labels as {@code /metrics} prints them
   */
  public double metric(String series) {
    return get("/metrics").map(HttpResponse::body).stream()
        .flatMap(String::lines)
        .filter(line -> line.startsWith(series + " "))
        .mapToDouble(line -> Double.parseDouble(line.substring(series.length() + 1)))
        .findFirst()
        .orElse(Double.NaN);
  }

  /** The digest of one replica of a spool and its position, {@code index@term}. */
  public record ReplicaDigest(String position, String sha256) {}

  /** The digests of all replicas on this node by spool. */
  public Map<String, ReplicaDigest> digests() {
    Map<String, ReplicaDigest> digests = new TreeMap<>();
    for (JsonNode spool : getJson("/api/spool/digests").orElse(JSON.createArrayNode())) {
      String position = spool.path("index").asString("") + "@" + spool.path("term").asString("");
      digests.put(
          spool.path("spool").asString(""),
          new ReplicaDigest(position, spool.path("sha256").asString("")));
    }
    return digests;
  }

  /** The gauge {@code spool_in_doubt}, summed over the spools. */
  public OptionalLong inDoubt() {
    Optional<String> metrics = get("/metrics?name[]=spool_in_doubt").map(HttpResponse::body);
    if (metrics.isEmpty()) return OptionalLong.empty();
    double sum = 0;
    for (String line : metrics.get().split("\n")) {
      if (line.startsWith("spool_in_doubt")) {
        sum += Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1));
      }
    }
    return OptionalLong.of((long) sum);
  }

  private Optional<JsonNode> getJson(String path) {
    try {
      return get(path)
          .filter(response -> response.statusCode() == 200)
          .map(response -> JSON.readTree(response.body()));
    } catch (JacksonException e) {
      return Optional.empty();
    }
  }

  private Optional<HttpResponse<String>> get(String path) {
    String escaped = path.replace("[", "%5B").replace("]", "%5D");
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(base + escaped)).timeout(TIMEOUT).build();
    try {
      return Optional.of(CLIENT.send(request, HttpResponse.BodyHandlers.ofString()));
    } catch (IOException e) {
      return Optional.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
  }
}
