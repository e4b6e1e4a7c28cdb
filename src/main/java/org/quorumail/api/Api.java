package org.quorumail.api;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.quorumail.api.Request.Caller;
import org.quorumail.metrics.Metrics;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Everything that can be asked of a node and told to it, as a table of routes. The HTTP server and
 * the control socket are two ways to call {@link #call}.
 */
public final class Api {
  private static final Logger LOG = LoggerFactory.getLogger(Api.class);

  private final List<Route> routes;
  private final EventStream stream;

  public Api(NodeView node, ClusterView cluster, QueueView queue, DnsView dns, Metrics metrics) {
    this.stream = new EventStream(cluster.events());
    this.routes =
        Stream.of(
                new HealthRoutes(node).routes(),
                new ClusterRoutes(cluster).routes(),
                new QueueRoutes(queue, dns).routes(),
                new DnsRoutes(dns).routes(),
                new EventRoutes(cluster).routes(),
                new SystemRoutes(node, metrics).routes())
            .flatMap(List::stream)
            .toList();
  }

  List<Route> routes() {
    return routes;
  }

  EventStream stream() {
    return stream;
  }

  /** Answers whatever is asked; never throws. */
  Response call(Request request) {
    String method = request.method().equals("HEAD") ? "GET" : request.method();
    List<String> allowed = new ArrayList<>();
    for (Route route : routes) {
      Optional<Map<String, String>> variables = route.match(request.path());
      if (variables.isEmpty()) continue;
      allowed.add(route.method());
      if (!route.method().equals(method)) continue;
      Optional<Response> refusal = refusal(route, request);
      return refusal.orElseGet(() -> handle(route, request.with(variables.get())));
    }
    if (allowed.isEmpty()) return Response.notFound("there is nothing at this path");
    return Response.problem(405, "Method Not Allowed", "this path does not take this method")
        .withHeader("Allow", String.join(", ", new TreeSet<>(allowed)));
  }

  private static Optional<Response> refusal(Route route, Request request) {
    boolean may =
        switch (route.access()) {
          case PROBE -> true;
          case READ ->
              request.caller() != Caller.STRANGER && request.caller() != Caller.WRONG_TOKEN;
          case WRITE -> request.caller() == Caller.OPERATOR || request.caller() == Caller.TOKEN;
          case OPERATOR -> request.caller() == Caller.OPERATOR;
        };
    if (may) return Optional.empty();
    if (route.access() == Route.Access.OPERATOR) {
      String detail = "this goes through the control socket only";
      return Optional.of(Response.problem(403, "Forbidden", detail));
    }
    String detail = "this wants the token of api.token_file in an Authorization: Bearer header";
    return Optional.of(
        Response.problem(401, "Unauthorized", detail).withHeader("WWW-Authenticate", "Bearer"));
  }

  private static Response handle(Route route, Request request) {
    try {
      return route.handler().handle(request);
    } catch (IllegalArgumentException e) {
      return Response.badRequest(String.valueOf(e.getMessage()));
    } catch (RuntimeException e) {
      LOG.error("api failed method={} route={}", route.method(), route.pattern(), e);
      return Response.problem(500, "Internal Server Error", "see the node's log");
    }
  }
}
