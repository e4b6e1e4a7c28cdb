package org.quorumail.api;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.quorumail.api.QueueView.Change;
import org.quorumail.api.QueueView.Filter;
import org.quorumail.api.Route.Access;
import org.quorumail.config.Units;
import org.quorumail.mail.QueueId;

/** The queue and the spools below it. */
final class QueueRoutes {
  private static final int DEFAULT_PAGE = 100;

  private final QueueView queue;

  QueueRoutes(QueueView queue) {
    this.queue = queue;
  }

  List<Route> routes() {
    return List.of(
        new Route("GET", "/api/queue", Access.READ, r -> Response.json(queue.list(filter(r)))),
        new Route("GET", "/api/queue/stats", Access.READ, r -> Response.json(queue.stats())),
        new Route("POST", "/api/queue/process-now", Access.WRITE, r -> processNow()),
        new Route("GET", "/api/queue/{id}", Access.READ, this::view),
        new Route("POST", "/api/queue/{id}/retry", Access.WRITE, r -> change(r, queue::retry)),
        new Route("POST", "/api/queue/{id}/hold", Access.WRITE, r -> change(r, queue::hold)),
        new Route("POST", "/api/queue/{id}/release", Access.WRITE, r -> change(r, queue::release)),
        new Route("DELETE", "/api/queue/{id}", Access.WRITE, r -> change(r, queue::delete)),
        new Route("GET", "/api/spool/stats", Access.READ, r -> spools()),
        new Route("GET", "/api/spool/digests", Access.READ, r -> Response.json(queue.digests())));
  }

  private static Filter filter(Request request) {
    String status = request.parameter("status").orElse("");
    if (!status.isEmpty() && !QueueView.STATUSES.contains(status)) {
      throw new IllegalArgumentException(
          "status is one of " + String.join(", ", QueueView.STATUSES));
    }
    String after = request.parameter("cursor").orElse("");
    if (!after.isEmpty() && QueueId.parse(after).isEmpty()) {
      throw new IllegalArgumentException("cursor is what an earlier page gave");
    }
    return new Filter(
        status,
        request.parameter("domain").orElse("").toLowerCase(Locale.ROOT),
        request.parameter("sender").orElse(""),
        request.parameter("older_than").map(t -> Units.duration(t).toMillis()).orElse(0L),
        after,
        limit(request.parameter("limit")));
  }

  private static int limit(Optional<String> given) {
    if (given.isEmpty()) return DEFAULT_PAGE;
    if (given.get().matches("\\d{1,4}")) {
      int limit = Integer.parseInt(given.get());
      if (limit >= 1 && limit <= Filter.MAX_PAGE) return limit;
    }
    throw new IllegalArgumentException("limit is 1 to " + Filter.MAX_PAGE);
  }

  private Response view(Request request) {
    return QueueId.parse(request.variable("id"))
        .flatMap(queue::message)
        .map(Response::json)
        .orElseGet(QueueRoutes::noSuchMessage);
  }

  private static Response change(Request request, Function<QueueId, Change> change) {
    Optional<QueueId> id = QueueId.parse(request.variable("id"));
    if (id.isEmpty()) return noSuchMessage();
    return switch (change.apply(id.get())) {
      case DONE -> Response.json(Map.of("id", id.get().toString(), "done", true));
      case NOT_FOUND -> noSuchMessage();
      case HELD ->
          Response.problem(409, "Conflict", "the message is held; release it to have it tried");
      case NO_QUORUM ->
          Response.problem(503, "Service Unavailable", "no quorum: nothing was changed for sure");
    };
  }

  private static Response noSuchMessage() {
    return Response.notFound("no message with this id is in the queue");
  }

  private Response processNow() {
    queue.processNow();
    return Response.json(Map.of("done", true));
  }

  private Response spools() {
    List<QueueView.Spool> spools = queue.spools();
    long messages =
        spools.stream().filter(QueueView.Spool::owned).mapToLong(s -> s.messages()).sum();
    long bytes = spools.stream().filter(QueueView.Spool::owned).mapToLong(s -> s.bytes()).sum();
    long inDoubt = spools.stream().mapToLong(s -> s.inDoubt()).sum();
    return Response.json(new SpoolStats(messages, bytes, inDoubt, spools));
  }

  /** Sums over the spools that this node owns. */
  record SpoolStats(long messages, long bytes, long inDoubt, List<QueueView.Spool> spools) {}
}
