package org.quorumail.api;

import static java.util.stream.Collectors.joining;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.quorumail.mail.QueueId;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Extends operations of this node to the cluster. An operation on a message goes to a node that has
 * the message; a sweep or a reroute goes to every node, and its answer names those that did not
 * answer. The orders that the meta group keeps need none of this.
 */
final class FanOut {
  private static final Set<String> ON_A_MESSAGE =
      Set.of(
          "GET /api/queue/{id}",
          "GET /api/queue/{id}/text",
          "POST /api/queue/{id}/retry",
          "POST /api/queue/{id}/hold",
          "POST /api/queue/{id}/release",
          "DELETE /api/queue/{id}",
          "GET /api/trace/{id}");

  private static final Set<String> ON_EVERY_NODE =
      Set.of("POST /api/queue/process-now", "POST /api/queue/reroute");

  /** Operations on a message that only the owner of its spool carries out. */
  private static final String BY_OWNER = "POST /api/queue/{id}/bounce";

  /** Lists of which a node shows what is in force on it. */
  private static final Set<String> ROWS_OF_EVERY_NODE =
      Set.of("GET /api/queue/suspensions", "GET /api/dns/overrides");

  /** Operations on one node, which its answer names. */
  private static final Set<String> ON_THIS_NODE =
      Set.of("GET /api/spool/stats", "POST /api/spool/cleanup-completed", "GET /api/audit");

  private static final String GET = "GET";
  private static final String NODES = "nodes";
  private static final String SECONDS_LEFT = "seconds_left";
  private static final String DUE = "due";

  private final OtherNodes others;

  FanOut(OtherNodes others) {
    this.others = others;
  }

  /** Returns the route, extended to the cluster when its operation is one of those. */
  ApiRoute extend(ApiRoute route) {
    if (ON_A_MESSAGE.contains(route.operation())) {
      return route.with(request -> onMessage(route, request));
    }
    if (route.operation().equals(BY_OWNER)) {
      return route.with(request -> byOwner(route, request));
    }
    if (ON_EVERY_NODE.contains(route.operation())) {
      return route.with(request -> onEveryNode(route, request));
    }
    if (ROWS_OF_EVERY_NODE.contains(route.operation())) {
      return route.with(request -> rowsOfEveryNode(route, request));
    }
    if (ON_THIS_NODE.contains(route.operation())) {
      return route.with(request -> withName(route.handler().handle(request)));
    }
    return route;
  }

  /** Answers from the replicas of this node, else by a node that has the message. */
  private ApiResponse onMessage(ApiRoute route, ApiRequest request) {
    ApiResponse own = route.handler().handle(request);
    Optional<QueueId> id = QueueId.parse(request.variable("id"));
    boolean isHere = own.status() != NodeAnswer.NOT_FOUND;
    if (isHere || id.isEmpty() || others.ids().isEmpty()) return own;
    boolean isTrace = route.pattern().equals("/api/trace/{id}");
    String view = (isTrace ? "/api/trace/" : "/api/queue/") + id.get();
    Answers answers = ask(GET, view, OtherNodes.QUERY_TIMEOUT, true);
    Optional<Map.Entry<String, NodeAnswer>> found =
        answers.byNode.entrySet().stream().filter(e -> e.getValue().isSuccess()).findFirst();
    if (found.isEmpty()) return notFound(own, answers);
    if (isTrace || route.operation().equals("GET /api/queue/{id}"))
      return response(found.get().getValue());
    String holder = found.get().getKey();
    return others
        .call(holder, request.method(), target(request), OtherNodes.CHANGE_TIMEOUT)
        .map(FanOut::response)
        .orElseGet(
            () ->
                unavailable(
                    "%s, which has the message, does not answer: a change may have happened or not"
                        .formatted(holder)));
  }

  /** Asks all other nodes unless this one owns the spool: one of them at most does. */
  private ApiResponse byOwner(ApiRoute route, ApiRequest request) {
    ApiResponse own = route.handler().handle(request);
    boolean mayBeElsewhere =
        own.status() == NodeAnswer.NOT_FOUND || own.status() == NodeAnswer.UNAVAILABLE;
    if (!mayBeElsewhere || others.ids().isEmpty()) return own;
    Answers answers = ask(request.method(), target(request), OtherNodes.CHANGE_TIMEOUT, true);
    return answers.byNode.values().stream()
        .filter(a -> a.status() != NodeAnswer.NOT_FOUND && a.status() != NodeAnswer.UNAVAILABLE)
        .findFirst()
        .map(FanOut::response)
        .orElse(own);
  }

  /** A message may still be in a spool of which no replica was asked. */
  private ApiResponse notFound(ApiResponse own, Answers answers) {
    Set<String> asked = new TreeSet<>(answers.byNode.keySet());
    asked.add(others.self());
    if (others.spoolsWithout(asked).isEmpty()) return own;
    return unavailable(
        "no message with this id is on the nodes that answer; " + silent(answers.unanswered));
  }

  /** Runs an order here, then on all other nodes at once. */
  private ApiResponse onEveryNode(ApiRoute route, ApiRequest request) {
    ApiResponse own = route.handler().handle(request);
    boolean isRefused = own.status() >= 300 && own.status() != NodeAnswer.NOT_FOUND;
    if (isRefused || others.ids().isEmpty()) return own;
    Answers answers = ask(request.method(), target(request), OtherNodes.CHANGE_TIMEOUT, false);
    List<NodeAnswer> done = new ArrayList<>();
    if (own.status() < 300) done.add(new NodeAnswer(own.status(), own.body()));
    for (Map.Entry<String, NodeAnswer> answer : answers.byNode.entrySet()) {
      if (answer.getValue().isSuccess()) done.add(answer.getValue());
      else if (answer.getValue().status() != NodeAnswer.NOT_FOUND)
        answers.unanswered.add(answer.getKey());
    }
    Optional<ObjectNode> merged = merge(done);
    if (merged.isEmpty()) {
      return answers.unanswered.isEmpty()
          ? own
          : unavailable("it is on none of the nodes that answer; " + silent(answers.unanswered));
    }
    merged.get().put(NODES, done.size());
    ArrayNode unanswered = merged.get().putArray("unanswered");
    answers.unanswered.forEach(unanswered::add);
    return ApiResponse.json(merged.get());
  }

  /** The first of the answers, with the sum of the messages that are due. */
  private static Optional<ObjectNode> merge(List<NodeAnswer> done) {
    Optional<ObjectNode> merged = Optional.empty();
    long due = 0;
    for (NodeAnswer answer : done) {
      Optional<ObjectNode> object = answer.read(ObjectNode.class);
      if (object.isEmpty()) continue;
      due += object.get().path(DUE).asLong(0);
      if (merged.isEmpty()) merged = object;
    }
    if (merged.isPresent() && merged.get().has(DUE)) merged.get().put(DUE, due);
    return merged;
  }

  /** The rows of all nodes that answer; each row names the nodes that have it. */
  private ApiResponse rowsOfEveryNode(ApiRoute route, ApiRequest request) {
    ApiResponse own = route.handler().handle(request);
    if (own.status() != NodeAnswer.OK || others.ids().isEmpty()) return own;
    Map<String, NodeAnswer> lists = new TreeMap<>();
    lists.put(others.self(), new NodeAnswer(own.status(), own.body()));
    lists.putAll(ask(GET, target(request), OtherNodes.QUERY_TIMEOUT, false).byNode);
    Map<JsonNode, ObjectNode> rows = new LinkedHashMap<>();
    lists.forEach(
        (node, list) -> {
          if (!list.isSuccess()) return;
          for (JsonNode row : list.json().orElseGet(Json.mapper()::createArrayNode)) {
            if (row instanceof ObjectNode object) add(rows, object, node);
          }
        });
    return ApiResponse.json(rows.values());
  }

  private static void add(Map<JsonNode, ObjectNode> rows, ObjectNode row, String node) {
    ObjectNode key = row.deepCopy();
    JsonNode left = key.remove(SECONDS_LEFT);
    ObjectNode merged = rows.computeIfAbsent(key, k -> row);
    merged.withArray(NODES).add(node);
    if (left != null)
      merged.put(SECONDS_LEFT, Math.max(left.asLong(), merged.path(SECONDS_LEFT).asLong()));
  }

  private ApiResponse withName(ApiResponse own) {
    if (own.status() != NodeAnswer.OK || others.ids().isEmpty()) return own;
    ObjectNode named = Json.mapper().createObjectNode().put("node", others.self());
    new NodeAnswer(own.status(), own.body()).read(ObjectNode.class).ifPresent(named::setAll);
    return ApiResponse.json(named);
  }

  /** The answers of nodes, and those that gave none. */
  private record Answers(Map<String, NodeAnswer> byNode, Set<String> unanswered) {}

  /**
   * Asks all other nodes at once.
   *
   * @param onlyOne whether one success is enough
   */
  private Answers ask(String method, String target, Duration timeout, boolean onlyOne) {
    Answers answers = new Answers(new TreeMap<>(), new TreeSet<>(others.ids()));
    ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
    try {
      CompletionService<Optional<Map.Entry<String, NodeAnswer>>> calls =
          new ExecutorCompletionService<>(executor);
      List<String> asked = others.ids();
      for (String node : asked) {
        calls.submit(() -> others.call(node, method, target, timeout).map(a -> Map.entry(node, a)));
      }
      for (int i = 0; i < asked.size(); i++) {
        Optional<Map.Entry<String, NodeAnswer>> answer = calls.take().get();
        if (answer.isEmpty()) continue;
        answers.byNode.put(answer.get().getKey(), answer.get().getValue());
        answers.unanswered.remove(answer.get().getKey());
        if (onlyOne && answer.get().getValue().isSuccess()) break;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause());
    } finally {
      executor.shutdownNow();
    }
    return answers;
  }

  static ApiResponse response(NodeAnswer answer) {
    String type = answer.isSuccess() ? "application/json" : "application/problem+json";
    return new ApiResponse(answer.status(), type, answer.body(), Map.of());
  }

  static ApiResponse unavailable(String detail) {
    return ApiResponse.problem(503, "Service Unavailable", detail);
  }

  static String silent(Collection<String> nodes) {
    return String.join(", ", nodes) + (nodes.size() == 1 ? " does not" : " do not");
  }

  /** The path and query of a request, encoded. */
  static String target(ApiRequest request) {
    String path =
        Arrays.stream(request.path().split("/", -1)).map(FanOut::encode).collect(joining("/"));
    String query =
        request.query().entrySet().stream()
            .flatMap(e -> e.getValue().stream().map(v -> encode(e.getKey()) + "=" + encode(v)))
            .collect(joining("&"));
    return query.isEmpty() ? path : path + "?" + query;
  }

  private static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }
}
