package org.quorumail.api;

import java.util.List;
import java.util.Optional;
import org.quorumail.api.ApiRoute.Access;
import org.quorumail.api.TraceView.TraceQuery;
import org.quorumail.mail.QueueId;

/** The routes of what has happened to messages. */
final class TraceRoutes {
  private static final int DEFAULT_LIMIT = 20;

  /** An address has at most 254 octets, a line of a header 998. */
  private static final int VALUE_MAX = 1_000;

  private static final List<String> FIELDS = List.of("recipient", "sender", "message_id");

  private final TraceView traces;

  TraceRoutes(TraceView traces) {
    this.traces = traces;
  }

  List<ApiRoute> routes() {
    return List.of(
        new ApiRoute("GET", "/api/trace", Access.READ, this::find),
        new ApiRoute("GET", "/api/trace/{id}", Access.READ, this::trace));
  }

  private ApiResponse trace(ApiRequest request) {
    return QueueId.parse(request.variable("id"))
        .flatMap(traces::trace)
        .map(ApiResponse::json)
        .orElseGet(() -> ApiResponse.notFound("no event of a message with this id is known"));
  }

  private ApiResponse find(ApiRequest request) {
    List<String> given = FIELDS.stream().filter(f -> !value(request, f).isEmpty()).toList();
    if (given.size() != 1)
      throw new IllegalArgumentException(
          "give one of the parameters recipient, sender and message_id");
    String value = value(request, given.getFirst());
    if (value.length() > VALUE_MAX)
      throw new IllegalArgumentException(given.getFirst() + " is too long");
    return ApiResponse.json(
        traces.traces(
            new TraceQuery(
                given.getFirst(),
                value,
                limit(request.parameter("limit")),
                QueueRoutes.spools(request))));
  }

  private static String value(ApiRequest request, String field) {
    return request.parameter(field).orElse("").strip();
  }

  private static int limit(Optional<String> given) {
    if (given.isEmpty()) return DEFAULT_LIMIT;
    if (given.get().matches("\\d{1,3}")) {
      int limit = Integer.parseInt(given.get());
      if (limit >= 1 && limit <= TraceQuery.LIMIT_MAX) return limit;
    }
    throw new IllegalArgumentException("limit is 1 to " + TraceQuery.LIMIT_MAX);
  }
}
