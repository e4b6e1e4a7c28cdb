package org.quorumail.api;

import java.time.Clock;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.quorumail.api.ApiRequest.Caller;
import org.quorumail.cluster.ClusterEventLog;
import org.quorumail.metrics.Metrics;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The API of a node, as a table of routes. The HTTP server and the control socket are two
 * transports for {@link #call}.
 */
public final class Api {
  private static final Logger LOG = LoggerFactory.getLogger(Api.class);

  private final List<ApiRoute> routes;
  private final EventStream eventStream;
  private final MailEventStream mailEventStream;
  private final Optional<AuditLog> audit;

  /** An API of a node that stands alone. */
  public Api(
      NodeView node,
      ClusterView cluster,
      QueueView queue,
      DnsView dns,
      ReplicatedConfigView config,
      Optional<Metrics> metrics) {
    this(node, cluster, queue, dns, config, metrics, OtherNodes.none());
  }

  /** An API of a node that takes no mail over HTTP. */
  public Api(
      NodeView node,
      ClusterView cluster,
      QueueView queue,
      DnsView dns,
      ReplicatedConfigView config,
      Optional<Metrics> metrics,
      OtherNodes others) {
    this(node, cluster, queue, dns, config, metrics, others, InjectionView.NONE);
  }

  /**
   * @param metrics empty when the configuration turns metrics off
   * @param others are called for what this node does not hold
   */
  public Api(
      NodeView node,
      ClusterView cluster,
      QueueView queue,
      DnsView dns,
      ReplicatedConfigView config,
      Optional<Metrics> metrics,
      OtherNodes others,
      InjectionView messages) {
    this.eventStream = new EventStream(cluster.events());
    MailEventRoutes mailEvents = new MailEventRoutes(queue);
    this.mailEventStream = new MailEventStream(mailEvents);
    AuditLog changes = new AuditLog(Clock.systemUTC());
    this.audit = Optional.of(changes);
    FanOut fanOut = new FanOut(others);
    this.routes =
        Stream.of(
                new HealthRoutes(node, cluster).routes(),
                new ClusterRoutes(cluster, others).routes(),
                new MaintenanceRoutes(node, others).routes(),
                new ReplicatedConfigRoutes(config).routes(),
                new QueueRoutes(queue, dns).routes(),
                new TraceRoutes(queue).routes(),
                mailEvents.routes(),
                new MessageRoutes(messages).routes(),
                new DnsRoutes(dns).routes(),
                new EventRoutes(cluster).routes(),
                new AuditRoutes(changes).routes(),
                new SystemRoutes(node, metrics).routes())
            .flatMap(List::stream)
            .map(fanOut::extend)
            .toList();
    checkUnique(routes);
  }

  /** A part of the API for other nodes, which have the events and the audit of their callers. */
  Api(List<ApiRoute> routes, MailEventRoutes mailEvents) {
    this.eventStream = new EventStream(new ClusterEventLog());
    this.mailEventStream = new MailEventStream(mailEvents);
    this.audit = Optional.empty();
    this.routes = routes;
    checkUnique(routes);
  }

  /** No request may fit two routes: the order of the table would decide about access. */
  private static void checkUnique(List<ApiRoute> routes) {
    Set<String> seen = new HashSet<>();
    for (ApiRoute route : routes) {
      if (!seen.add(route.operation()))
        throw new IllegalStateException("two routes for " + route.operation());
    }
  }

  List<ApiRoute> routes() {
    return routes;
  }

  MailEventStream mailEventStream() {
    return mailEventStream;
  }

  EventStream eventStream() {
    return eventStream;
  }

  /** Reports whether a path is that of a probe, which must be answered however much else runs. */
  boolean isProbe(String path) {
    return routes.stream()
        .filter(route -> route.access() == ApiRoute.Access.PROBE)
        .anyMatch(route -> route.matchPath(path).isPresent());
  }

  /** Whether a request has messages, whose body is read as it arrives. */
  static boolean isInjection(String method, String path) {
    return method.equals("POST") && path.equals(MessageRoutes.PATH);
  }

  /** Answers a request; never throws. */
  ApiResponse call(ApiRequest request) {
    String method = request.method().equals("HEAD") ? "GET" : request.method();
    List<String> allowed = new ArrayList<>();
    for (ApiRoute route : routes) {
      Optional<Map<String, String>> variables = route.matchPath(request.path());
      if (variables.isEmpty()) continue;
      allowed.add(route.method());
      if (!route.method().equals(method)) continue;
      Optional<ApiResponse> refusal = refusal(route, request);
      ApiResponse answer =
          refusal.orElseGet(() -> handle(route, request.withVariables(variables.get())));
      if (route.changes()) audit.ifPresent(log -> log.add(request, answer));
      return answer;
    }
    if (allowed.isEmpty()) return ApiResponse.notFound("there is no resource at this path");
    return ApiResponse.problem(405, "Method Not Allowed", "this path does not support this method")
        .withHeader("Allow", String.join(", ", new TreeSet<>(allowed)));
  }

  private static Optional<ApiResponse> refusal(ApiRoute route, ApiRequest request) {
    boolean allowed =
        switch (route.access()) {
          case PROBE -> true;
          case READ -> mayRead(request.caller());
          case WRITE -> request.caller() == Caller.OPERATOR || request.caller() == Caller.TOKEN;
          case INJECT -> mayInject(request.caller());
          case OPERATOR -> request.caller() == Caller.OPERATOR;
        };
    if (allowed) return Optional.empty();
    if (route.access() == ApiRoute.Access.OPERATOR) {
      String detail = "this operation needs the control socket";
      return Optional.of(ApiResponse.problem(403, "Forbidden", detail));
    }
    if (request.caller() == Caller.READ_TOKEN || request.caller() == Caller.INJECT_TOKEN) {
      boolean reads = request.caller() == Caller.READ_TOKEN;
      String detail =
          reads
              ? "this operation needs a token that may change things: yours only reads"
              : "this operation needs another token: yours only injects messages";
      return Optional.of(ApiResponse.problem(403, "Forbidden", detail));
    }
    String detail =
        "this operation needs a token (api.token_file, api.tokens) in an Authorization: Bearer"
            + " header";
    return Optional.of(
        ApiResponse.problem(401, "Unauthorized", detail).withHeader("WWW-Authenticate", "Bearer"));
  }

  private static boolean mayInject(Caller caller) {
    return switch (caller) {
      case OPERATOR, TOKEN, INJECT_TOKEN -> true;
      case READ_TOKEN, LOOPBACK, WRONG_TOKEN, REMOTE -> false;
    };
  }

  private static boolean mayRead(Caller caller) {
    return switch (caller) {
      case OPERATOR, TOKEN, READ_TOKEN, LOOPBACK -> true;
      case INJECT_TOKEN, WRONG_TOKEN, REMOTE -> false;
    };
  }

  private static ApiResponse handle(ApiRoute route, ApiRequest request) {
    try {
      return route.handler().handle(request);
    } catch (ChangeRefusedException e) {
      return e.response();
    } catch (IllegalArgumentException e) {
      return ApiResponse.badRequest(String.valueOf(e.getMessage()));
    } catch (RuntimeException e) {
      LOG.error("event=api_failed method={} route={}", route.method(), route.pattern(), e);
      return ApiResponse.problem(500, "Internal Server Error", "the node's log has the reason");
    }
  }
}
