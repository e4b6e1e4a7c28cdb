package org.quorumail.api;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.quorumail.api.QueueView.Change;
import org.quorumail.api.QueueView.Filter;
import org.quorumail.api.Route.Access;
import org.quorumail.config.HostName;
import org.quorumail.config.Units;
import org.quorumail.mail.QueueId;

/** The queue and the spools below it. */
final class QueueRoutes {
  private static final int DEFAULT_PAGE = 100;

  /** An id, or a spool and a key, both in base64. */
  private static final Pattern CURSOR =
      Pattern.compile("[0-9A-Z]{26}|[A-Za-z0-9_=-]{1,400}\\.[A-Za-z0-9_=-]{0,400}");

  /** A suspension that nobody ends does not outlast the day. */
  private static final Duration SUSPENDED_FOR = Duration.ofHours(24);

  private final QueueView queue;
  private final DnsView dns;

  QueueRoutes(QueueView queue, DnsView dns) {
    this.queue = queue;
    this.dns = dns;
  }

  List<Route> routes() {
    return List.of(
        new Route("GET", "/api/queue", Access.READ, r -> Response.json(queue.list(filter(r)))),
        new Route("GET", "/api/queue/stats", Access.READ, r -> Response.json(queue.stats())),
        new Route("POST", "/api/queue/process-now", Access.WRITE, r -> processNow()),
        new Route("GET", "/api/queue/suspensions", Access.READ, r -> suspensions()),
        new Route("POST", "/api/queue/suspend", Access.WRITE, this::suspend),
        new Route("POST", "/api/queue/resume", Access.WRITE, this::resume),
        new Route("POST", "/api/queue/reroute", Access.WRITE, this::reroute),
        new Route("GET", "/api/queue/{id}", Access.READ, this::view),
        new Route("POST", "/api/queue/{id}/retry", Access.WRITE, r -> change(r, queue::retry)),
        new Route("POST", "/api/queue/{id}/hold", Access.WRITE, r -> change(r, queue::hold)),
        new Route("POST", "/api/queue/{id}/release", Access.WRITE, r -> change(r, queue::release)),
        new Route("DELETE", "/api/queue/{id}", Access.WRITE, r -> change(r, queue::delete)),
        new Route("GET", "/api/spool/stats", Access.READ, r -> spools()),
        new Route("POST", "/api/spool/cleanup-completed", Access.WRITE, r -> cleanUp()),
        new Route("GET", "/api/spool/digests", Access.READ, r -> Response.json(queue.digests())));
  }

  private static Filter filter(Request request) {
    String status = request.parameter("status").orElse("");
    if (!status.isEmpty() && !QueueView.STATUSES.contains(status)) {
      throw new IllegalArgumentException(
          "status is one of " + String.join(", ", QueueView.STATUSES));
    }
    String after = request.parameter("cursor").orElse("");
    if (!after.isEmpty() && !CURSOR.matcher(after).matches()) {
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

  private Response suspensions() {
    return Response.json(queue.suspensions());
  }

  private Response suspend(Request request) {
    String domain = domain(request);
    Duration howLong = request.parameter("for").map(Units::duration).orElse(SUSPENDED_FOR);
    if (!queue.suspend(domain, howLong)) {
      return Response.problem(409, "Conflict", "too many domains are suspended; resume some");
    }
    return Response.json(new QueueView.Suspension(domain, howLong.toSeconds()));
  }

  private Response resume(Request request) {
    String domain = domain(request);
    if (!queue.resume(domain)) return Response.notFound("this domain is not suspended");
    return Response.json(Map.of("domain", domain, "resumed", true));
  }

  /** The mail that waits is tried at the new host at once. */
  private Response reroute(Request request) {
    String to =
        request
            .parameter("to")
            .orElseThrow(() -> new IllegalArgumentException("the parameter to is missing"));
    DnsView.MxOverride set = dns.set(domain(request), to);
    int due = 0;
    Filter waiting = new Filter("retry", set.domain(), "", 0, "", Filter.MAX_PAGE);
    for (QueueView.Message message : queue.list(waiting).messages()) {
      Optional<QueueId> id = QueueId.parse(message.id());
      if (id.isPresent() && queue.retry(id.get()) == Change.DONE) due++;
    }
    queue.processNow();
    return Response.json(new Rerouted(set.domain(), set.host(), due));
  }

  /**
   * @param due messages that waited for their next attempt and need not any more; further ones go
   *     to the new host when their time comes
   */
  record Rerouted(String domain, String host, int due) {}

  private static String domain(Request request) {
    String domain = request.parameter("domain").orElse("").toLowerCase(Locale.ROOT);
    if (domain.isEmpty()) throw new IllegalArgumentException("the parameter domain is missing");
    return HostName.checked(domain);
  }

  private Response cleanUp() {
    return queue
        .cleanUp()
        .map(Response::json)
        .orElseGet(() -> Response.problem(409, "Conflict", "a clean-up is running already"));
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
