package org.quorumail.api;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.quorumail.api.NodeView.Health;
import org.quorumail.api.Route.Access;

/** Health for people, and the two probes of an orchestrator; all computed when asked. */
final class HealthRoutes {
  private final NodeView node;

  HealthRoutes(NodeView node) {
    this.node = node;
  }

  List<Route> routes() {
    List<Route> routes = new ArrayList<>();
    for (String path : List.of("/health", "/healthz")) {
      routes.add(new Route("GET", path, Access.PROBE, r -> overall()));
    }
    for (String path : List.of("/health/live", "/health/livez", "/livez")) {
      routes.add(new Route("GET", path, Access.PROBE, r -> live()));
    }
    for (String path : List.of("/health/ready", "/health/readyz", "/readyz")) {
      routes.add(new Route("GET", path, Access.PROBE, r -> ready()));
    }
    return List.copyOf(routes);
  }

  private Response overall() {
    Health health = node.health();
    String status = health.ready() ? "Healthy" : health.alive() ? "Degraded" : "Unhealthy";
    return Response.json(health.alive() ? 200 : 503, new Overall(status, checks(health)));
  }

  private static Map<String, String> checks(Health health) {
    Map<String, String> checks = new LinkedHashMap<>();
    checks.put("alive", word(health.alive()));
    checks.put("smtp", word(health.smtpReady()));
    checks.put("spool", word(health.spoolReady()));
    checks.put("delivery", word(health.deliveryReady()));
    checks.put("dns", word(health.dnsReady()));
    checks.put("cluster", word(health.clusterReady()));
    checks.put("queue_size", word(health.queueSize() <= health.maxQueueSize()));
    checks.put("draining", health.draining() ? "Degraded" : "Healthy");
    return checks;
  }

  private static String word(boolean good) {
    return good ? "Healthy" : "Unhealthy";
  }

  private Response live() {
    if (node.health().alive()) return Response.text("text/plain", "OK");
    return Response.problem(503, "Service Unavailable", "the node makes no progress");
  }

  private Response ready() {
    Health h = node.health();
    if (h.ready()) return Response.text("text/plain", "OK");
    return Response.json(
        503,
        new NotReady(
            h.alive(),
            h.ready(),
            h.smtpReady(),
            h.spoolReady(),
            h.deliveryReady(),
            h.dnsReady(),
            h.clusterReady(),
            h.queueSize(),
            h.maxQueueSize()));
  }

  record Overall(String status, Map<String, String> checks) {}

  record NotReady(
      boolean alive,
      boolean ready,
      boolean smtpReady,
      boolean spoolReady,
      boolean deliveryReady,
      boolean dnsReady,
      boolean clusterReady,
      long queueSize,
      long maxQueueSize) {}
}
