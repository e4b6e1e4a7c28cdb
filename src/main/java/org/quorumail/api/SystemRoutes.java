package org.quorumail.api;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.quorumail.api.ApiRoute.Access;
import org.quorumail.api.NodeView.NodeHealth;
import org.quorumail.metrics.Metrics;

/** The routes of the process: metrics, configuration, reload and shutdown. */
final class SystemRoutes {
  private final NodeView node;
  private final Optional<Metrics> metrics;

  SystemRoutes(NodeView node, Optional<Metrics> metrics) {
    this.node = node;
    this.metrics = metrics;
  }

  List<ApiRoute> routes() {
    return List.of(
        new ApiRoute("GET", "/metrics", Access.READ, this::metrics),
        new ApiRoute(
            "GET", "/api/config", Access.READ, r -> ApiResponse.json(Json.redacted(node.config()))),
        new ApiRoute("POST", "/api/reload", Access.WRITE, r -> reload()),
        new ApiRoute("GET", "/api/system/ping", Access.READ, r -> ping()),
        new ApiRoute("GET", "/api/system/status", Access.READ, r -> status()),
        new ApiRoute("POST", "/api/system/reload", Access.OPERATOR, r -> reload()),
        new ApiRoute("POST", "/api/system/shutdown", Access.OPERATOR, r -> shutdown()));
  }

  private ApiResponse metrics(ApiRequest request) {
    if (metrics.isEmpty()) return ApiResponse.notFound("metrics.enabled is false");
    return ApiResponse.text(
        "text/plain; version=0.0.4; charset=utf-8",
        metrics.get().scrape(new LinkedHashSet<>(request.parameters("name[]"))));
  }

  private static ApiResponse ping() {
    return ApiResponse.json(Map.of("pong", true));
  }

  private ApiResponse status() {
    NodeHealth health = node.health();
    return ApiResponse.json(
        new SystemStatus(
            node.version(),
            ProcessHandle.current().pid(),
            node.uptime().toSeconds(),
            state(health),
            health));
  }

  private static String state(NodeHealth health) {
    if (health.draining()) return "draining";
    if (health.maintenance()) return "maintenance";
    return health.ready() ? "ready" : "not ready";
  }

  private ApiResponse reload() {
    NodeView.ReloadResult reload = node.reload();
    return ApiResponse.json(reload.problems().isEmpty() ? 200 : 422, reload);
  }

  private ApiResponse shutdown() {
    node.shutdown();
    return ApiResponse.json(202, Map.of("state", "draining"));
  }

  record SystemStatus(
      String version, long pid, long uptimeSeconds, String state, NodeHealth health) {}
}
