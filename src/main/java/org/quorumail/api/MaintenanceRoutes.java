package org.quorumail.api;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.quorumail.api.ApiRoute.Access;
import org.quorumail.api.MaintenanceView.MaintenanceOrder;
import org.quorumail.api.MaintenanceView.MaintenanceResult;
import org.quorumail.config.Units;

/** The routes of maintenance: of this node, or of another one that the request names. */
final class MaintenanceRoutes {
  private final MaintenanceView maintenance;
  private final NamedNode node;

  MaintenanceRoutes(MaintenanceView maintenance, OtherNodes others) {
    this.maintenance = maintenance;
    this.node = new NamedNode(others);
  }

  List<ApiRoute> routes() {
    List<ApiRoute> routes = new ArrayList<>();
    for (String path : List.of("/maintenance", "/api/maintenance")) {
      routes.add(new ApiRoute("GET", path, Access.READ, node.extend(r -> status())));
      routes.add(new ApiRoute("POST", path + "/enter", Access.WRITE, node.extend(this::enter)));
      routes.add(new ApiRoute("POST", path + "/exit", Access.WRITE, node.extend(r -> exit())));
    }
    return List.copyOf(routes);
  }

  private ApiResponse status() {
    return ApiResponse.json(maintenance.maintenance());
  }

  private ApiResponse enter(ApiRequest request) {
    MaintenanceResult result =
        maintenance.enterMaintenance(
            new MaintenanceOrder(
                drainTimeout(request),
                migrates(request),
                request.parameter("reason").orElse(""),
                request.parameters("target")));
    if (result.refusal().isEmpty()) return ApiResponse.json(result.status());
    return ApiResponse.problem(409, "Conflict", result.refusal());
  }

  private static Duration drainTimeout(ApiRequest request) {
    Optional<String> given = request.parameter("drain_timeout");
    try {
      return given.map(Units::parseDuration).orElse(MaintenanceOrder.DEFAULT_DRAIN_TIMEOUT);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("drain_timeout: " + e.getMessage(), e);
    }
  }

  private static boolean migrates(ApiRequest request) {
    return switch (request.parameter("migrate").orElse("true")) {
      case "true" -> true;
      case "false" -> false;
      default -> throw new IllegalArgumentException("migrate is true or false");
    };
  }

  private ApiResponse exit() {
    return ApiResponse.json(maintenance.exitMaintenance());
  }
}
