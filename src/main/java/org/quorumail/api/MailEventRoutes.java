package org.quorumail.api;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.quorumail.api.ApiRoute.Access;
import org.quorumail.api.TraceView.MailEventPage;
import org.quorumail.api.TraceView.MailEventQuery;
import org.quorumail.config.Units;

/** The route of the events of mail. HTTP offers them as a stream too. */
final class MailEventRoutes {
  static final String PATH = "/api/events/mail";

  private static final int DEFAULT_LIMIT = 100;

  /** The longest wait; a waiting caller costs a thread and a connection. */
  private static final Duration MAX_WAIT = Duration.ofSeconds(30);

  /** The time between two looks for new events; each calls the nodes of other spools. */
  private static final Duration POLL = Duration.ofMillis(500);

  private static final Duration MAX_SINCE = Duration.ofDays(365);

  private final TraceView events;

  MailEventRoutes(TraceView events) {
    this.events = events;
  }

  List<ApiRoute> routes() {
    return List.of(new ApiRoute("GET", PATH, Access.READ, this::events));
  }

  private ApiResponse events(ApiRequest request) {
    Duration wait = duration(request, "wait", MAX_WAIT);
    try {
      return ApiResponse.json(await(query(request, MailCursor.NONE), wait));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return ApiResponse.problem(503, "Service Unavailable", "the node is stopping");
    }
  }

  /**
   * The query of a request.
   *
   * @param last the cursor that counts when the request has none
   */
  static MailEventQuery query(ApiRequest request, MailCursor last) {
    MailCursor after = request.parameter("after").map(MailCursor::parse).orElse(last);
    return new MailEventQuery(
        after,
        duration(request, "since", MAX_SINCE),
        limit(request.parameter("limit")),
        QueueRoutes.spools(request));
  }

  /** The next events; waits for the first of them. */
  MailEventPage await(MailEventQuery query, Duration timeout) throws InterruptedException {
    long until = System.nanoTime() + timeout.toNanos();
    MailEventPage page = events.mailEvents(query);
    while (page.events().isEmpty() && System.nanoTime() - until < 0) {
      Thread.sleep(POLL);
      page = events.mailEvents(query.after(MailCursor.parse(page.cursor())));
    }
    return page;
  }

  private static Duration duration(ApiRequest request, String name, Duration max) {
    Duration given = request.parameter(name).map(Units::parseDuration).orElse(Duration.ZERO);
    if (!given.isNegative() && given.compareTo(max) <= 0) return given;
    throw new IllegalArgumentException(
        "the parameter " + name + " is a time of at most " + Units.format(max));
  }

  private static int limit(Optional<String> given) {
    if (given.isEmpty()) return DEFAULT_LIMIT;
    if (given.get().matches("\\d{1,4}")) {
      int limit = Integer.parseInt(given.get());
      if (limit >= 1 && limit <= MailEventQuery.LIMIT_MAX) return limit;
    }
    throw new IllegalArgumentException("limit is 1 to " + MailEventQuery.LIMIT_MAX);
  }
}
