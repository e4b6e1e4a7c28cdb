package org.quorumail.api;

import java.util.List;
import java.util.Optional;
import org.quorumail.api.ApiRoute.Access;

/** The route of the audit log: the last changes that this node was asked for. */
final class AuditRoutes {
  private static final int DEFAULT_LIMIT = 100;
  private static final int LIMIT_MAX = 1_000;

  private final AuditLog audit;

  AuditRoutes(AuditLog audit) {
    this.audit = audit;
  }

  List<ApiRoute> routes() {
    return List.of(new ApiRoute("GET", "/api/audit", Access.READ, this::list));
  }

  private ApiResponse list(ApiRequest request) {
    return ApiResponse.json(new AuditPage(audit.latest(limit(request.parameter("limit")))));
  }

  private static int limit(Optional<String> given) {
    if (given.isEmpty()) return DEFAULT_LIMIT;
    if (given.get().matches("\\d{1,4}")) {
      int limit = Integer.parseInt(given.get());
      if (limit >= 1 && limit <= LIMIT_MAX) return limit;
    }
    throw new IllegalArgumentException("limit is 1 to " + LIMIT_MAX);
  }

  record AuditPage(List<AuditLog.AuditEntry> entries) {}
}
