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

/** What a node tells by HTTP. A node that does not answer is an empty answer. */
public final class NodeHttpClient {
  private static final Duration TIMEOUT = Duration.ofSeconds(2);
  private static final JsonMapper JSON = JsonMapper.shared();

  /** One for all nodes of a run: it keeps its connections. */
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
    return get("/readyz").filter(answer -> answer.statusCode() == 200).isPresent();
  }

  /** Messages in the queue that are not yet at their end; empty when the node cannot tell. */
  public OptionalLong queueSize() {
    return json("/api/queue/stats")
        .map(stats -> stats.path("total"))
        .filter(JsonNode::isIntegralNumber)
        .map(total -> OptionalLong.of(total.longValue()))
        .orElse(OptionalLong.empty());
  }

  /** Whether the node knows a message of this queue id; empty when it cannot tell. */
  public Optional<Boolean> hasMessage(String queueId) {
    return get("/api/queue/" + queueId)
        .filter(answer -> answer.statusCode() == 200 || answer.statusCode() == 404)
        .map(answer -> answer.statusCode() == 200);
  }

  /** Status by node id, as this node sees the cluster; empty when it is silent. */
  public Map<String, String> nodeStatuses() {
    Map<String, String> statuses = new TreeMap<>();
    for (JsonNode node : json("/api/cluster/nodes").orElse(JSON.createArrayNode())) {
      statuses.put(node.path("id").asString(""), node.path("status").asString(""));
    }
    return statuses;
  }

  /** The cluster's state as this node sees it; empty text when it is silent. */
  public String clusterState() {
    return json("/api/cluster/status").map(s -> s.path("state").asString("")).orElse("");
  }

  /** What this node tells of the cluster, each as type and subject with a colon between. */
  public List<String> events() {
    List<String> events = new ArrayList<>();
    for (JsonNode event :
        json("/api/events").map(page -> page.path("events")).orElse(JSON.createArrayNode())) {
      JsonNode details = event.path("details");
      String subject = details.path("subject").asString(details.path("leader").asString(""));
      events.add(event.path("type").asString("") + ":" + subject);
    }
    return events;
  }

  /**
   * The value of one series of {@code /metrics}; not a number when the node does not show it.
   *
   * @param series its name, with the labels as they are printed there
   */
  public double metric(String series) {
    return get("/metrics").map(HttpResponse::body).stream()
        .flatMap(String::lines)
        .filter(line -> line.startsWith(series + " "))
        .mapToDouble(line -> Double.parseDouble(line.substring(series.length() + 1)))
        .findFirst()
        .orElse(Double.NaN);
  }

  /** The content of one replica of a spool. */
  public record ReplicaDigest(String position, String sha256) {}

  /** Every spool on this node. */
  public Map<String, ReplicaDigest> digests() {
    Map<String, ReplicaDigest> digests = new TreeMap<>();
    for (JsonNode spool : json("/api/spool/digests").orElse(JSON.createArrayNode())) {
      String position = spool.path("index").asString("") + "@" + spool.path("term").asString("");
      digests.put(
          spool.path("spool").asString(""),
          new ReplicaDigest(position, spool.path("sha256").asString("")));
    }
    return digests;
  }

  /** The gauge {@code spool_in_doubt}, summed over the spools; empty when the node is silent. */
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

  private Optional<JsonNode> json(String path) {
    try {
      return get(path).filter(a -> a.statusCode() == 200).map(a -> JSON.readTree(a.body()));
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
