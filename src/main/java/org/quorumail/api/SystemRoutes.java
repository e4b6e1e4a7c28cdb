package org.quorumail.api;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import org.quorumail.api.NodeView.Health;
import org.quorumail.api.Route.Access;
import org.quorumail.metrics.Metrics;

/** The process: metrics, configuration, reload and shutdown. */
final class SystemRoutes {
  private final NodeView node;
  private final Metrics metrics;

  SystemRoutes(NodeView node, Metrics metrics) {
    this.node = node;
    this.metrics = metrics;
  }

  List<Route> routes() {
    return List.of(
        new Route("GET", "/metrics", Access.READ, this::metrics),
        new Route("GET", "/api/config", Access.READ, r -> Response.json(node.config())),
        new Route("POST", "/api/reload", Access.WRITE, r -> reload()),
        new Route("GET", "/api/system/ping", Access.READ, r -> ping()),
        new Route("GET", "/api/system/status", Access.READ, r -> status()),
        new Route("POST", "/api/system/reload", Access.OPERATOR, r -> reload()),
        new Route("POST", "/api/system/shutdown", Access.OPERATOR, r -> shutdown()));
  }

  private Response metrics(Request request) {
    if (!node.config().metrics().enabled()) return Response.notFound("metrics.enabled is false");
    return Response.text(
        "text/plain; version=0.0.4; charset=utf-8",
        metrics.scrape(new LinkedHashSet<>(request.parameters("name[]"))));
  }

  private static Response ping() {
    return Response.json(Map.of("pong", true));
  }

  private Response status() {
    Health health = node.health();
    return Response.json(
        new Status(
            node.version(),
            ProcessHandle.current().pid(),
            node.uptime().toSeconds(),
            health.draining() ? "draining" : health.ready() ? "ready" : "not ready",
            health));
  }

  private Response reload() {
    NodeView.Reload reload = node.reload();
    return Response.json(reload.problems().isEmpty() ? 200 : 422, reload);
  }

  private Response shutdown() {
    node.shutdown();
    return Response.json(202, Map.of("state", "draining"));
  }

  record Status(String version, long pid, long uptimeSeconds, String state, Health health) {}
}
