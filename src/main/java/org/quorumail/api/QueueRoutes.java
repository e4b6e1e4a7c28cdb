package org.quorumail.api;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.quorumail.api.ApiRoute.Access;
import org.quorumail.api.QueueView.ChangeResult;
import org.quorumail.api.QueueView.MessageQuery;
import org.quorumail.cluster.OperatorOrder;
import org.quorumail.config.AddressPattern;
import org.quorumail.config.Units;
import org.quorumail.mail.OperatorCommand;
import org.quorumail.mail.QueueId;

/** The routes of the queue and of its spools. */
final class QueueRoutes {
  private static final int DEFAULT_PAGE = 100;
  private static final String FORCE = "force";
  private static final String REASON = "reason";
  private static final String SILENT = "silent";

  /** The parameters of each query beside the filter. */
  private static final List<String> PAGE_PARAMETERS = List.of("cursor", "limit", "spool");

  /** The list as nodes ask each other for it. */
  static final String SEARCH = "/api/queue/search";

  /** More than a cluster has. */
  private static final int MAX_SPOOLS = 1_000;

  /** The most messages that a reroute makes due at once; each is an entry of a log. */
  private static final int MAX_REROUTED = 1_000;

  /** The time for that: the caller waits, and a calling node for no longer than eight seconds. */
  private static final Duration MAX_REROUTE_TIME = Duration.ofSeconds(4);

  /** A cursor: an id, or a spool and a key, both in base64. */
  private static final Pattern CURSOR =
      Pattern.compile("[0-9A-Z]{26}|[A-Za-z0-9_=-]{1,400}\\.[A-Za-z0-9_=-]{0,400}");

  /** More than the rules look at. */
  private static final int MAX_REPLY = 2_000;

  /** The default time of a suspension. */
  private static final Duration SUSPENDED_FOR = Duration.ofHours(24);

  /** The longest time of a suspension: no mail lives so long. */
  private static final Duration SUSPENDED_FOR_MAX = Duration.ofDays(365);

  private final QueueView queue;
  private final DnsView dns;

  QueueRoutes(QueueView queue, DnsView dns) {
    this.queue = queue;
    this.dns = dns;
  }

  List<ApiRoute> routes() {
    return List.of(
        new ApiRoute("GET", "/api/queue", Access.READ, r -> ApiResponse.json(queue.list(query(r)))),
        new ApiRoute(
            "GET", "/api/queue/count", Access.READ, r -> ApiResponse.json(queue.count(query(r)))),
        changes("POST", "/api/queue/retry", QueueRoutes::retry, FORCE),
        changes("POST", "/api/queue/hold", r -> new OperatorCommand.Hold()),
        changes("POST", "/api/queue/release", r -> new OperatorCommand.Release()),
        changes("POST", "/api/queue/bounce", QueueRoutes::bounce, REASON, SILENT),
        changes("DELETE", "/api/queue", r -> new OperatorCommand.Delete()),
        new ApiRoute("GET", "/api/queue/stats", Access.READ, this::stats),
        new ApiRoute("GET", "/api/queue/stats/{by}", Access.READ, this::breakdown),
        new ApiRoute("GET", "/api/queue/classify", Access.READ, this::classify),
        new ApiRoute("POST", "/api/queue/process-now", Access.WRITE, r -> processNow()),
        new ApiRoute("GET", "/api/queue/suspensions", Access.READ, r -> suspensions()),
        new ApiRoute("POST", "/api/queue/suspend", Access.WRITE, this::suspend),
        new ApiRoute("POST", "/api/queue/resume", Access.WRITE, this::resume),
        new ApiRoute("POST", "/api/queue/reroute", Access.WRITE, this::reroute),
        new ApiRoute("GET", "/api/queue/{id}", Access.READ, this::view),
        // the words of people, not only their addresses: for those who may change the queue
        new ApiRoute("GET", "/api/queue/{id}/text", Access.WRITE, this::text),
        change("POST", "/api/queue/{id}/retry", QueueRoutes::retry),
        change("POST", "/api/queue/{id}/hold", r -> new OperatorCommand.Hold()),
        change("POST", "/api/queue/{id}/release", r -> new OperatorCommand.Release()),
        change("POST", "/api/queue/{id}/bounce", QueueRoutes::bounce),
        change("DELETE", "/api/queue/{id}", r -> new OperatorCommand.Delete()),
        new ApiRoute("GET", "/api/spool/stats", Access.READ, r -> spools()),
        new ApiRoute("POST", "/api/spool/cleanup-completed", Access.WRITE, r -> cleanUp()),
        new ApiRoute(
            "GET", "/api/spool/digests", Access.READ, r -> ApiResponse.json(queue.digests())));
  }

  /**
   * The routes between nodes alone. A node of an older release would list all messages for a
   * criterion that it does not know; it does not know this path either.
   */
  List<ApiRoute> nodeRoutes() {
    return List.of(
        new ApiRoute("GET", SEARCH, Access.READ, r -> ApiResponse.json(queue.list(query(r)))));
  }

  private static MessageQuery query(ApiRequest request, String... others) {
    List<String> known = new ArrayList<>(PAGE_PARAMETERS);
    known.addAll(List.of(others));
    QueueCriteria filter = QueueCriteria.read(request, known);
    String after = request.parameter("cursor").orElse("");
    if (!after.isEmpty() && !CURSOR.matcher(after).matches()) {
      throw new IllegalArgumentException("cursor must come from an earlier page");
    }
    return new MessageQuery(filter, after, limit(request.parameter("limit")), spools(request));
  }

  private static OperatorCommand bounce(ApiRequest request) {
    return new OperatorCommand.Bounce(
        reason(request), request.parameter(SILENT).map("true"::equals).orElse(false));
  }

  private static String reason(ApiRequest request) {
    String reason = request.parameter(REASON).orElse("").strip();
    if (reason.length() > OperatorOrder.REASON_MAX) {
      throw new IllegalArgumentException(
          "the parameter reason has at most %d characters".formatted(OperatorOrder.REASON_MAX));
    }
    if (reason.chars().anyMatch(c -> Character.isISOControl(c)))
      throw new IllegalArgumentException("the parameter reason is one line");
    return reason;
  }

  private static OperatorCommand retry(ApiRequest request) {
    return new OperatorCommand.Retry(request.parameter(FORCE).map("true"::equals).orElse(false));
  }

  /**
   * A route that changes the messages of a page.
   *
   * @param others the parameters of the command
   */
  private ApiRoute changes(
      String method, String path, Function<ApiRequest, OperatorCommand> command, String... others) {
    return new ApiRoute(
        method,
        path,
        Access.WRITE,
        request -> {
          MessageQuery query = query(request, others);
          if (query.filter().isAll()) {
            throw new IllegalArgumentException(
                "name at least one filter: without one all messages would be changed");
          }
          return ApiResponse.json(queue.change(query, command.apply(request)));
        });
  }

  /** The names of the spools that are meant; a node asks another one for some. */
  static List<String> spools(ApiRequest request) {
    List<String> names = request.parameters("spool");
    if (names.size() > MAX_SPOOLS) throw new IllegalArgumentException("too many spools are named");
    return names;
  }

  private ApiResponse stats(ApiRequest request) {
    return ApiResponse.json(queue.stats(spools(request)));
  }

  private ApiResponse breakdown(ApiRequest request) {
    String by = request.variable("by");
    if (!QueueView.BREAKDOWNS.contains(by)) {
      throw new IllegalArgumentException(
          "the queue is divided by one of " + String.join(", ", QueueView.BREAKDOWNS));
    }
    return ApiResponse.json(
        queue.breakdown(by, limit(request.parameter("limit")), spools(request)));
  }

  private ApiResponse classify(ApiRequest request) {
    String reply = request.parameter("reply").orElse("").strip();
    if (reply.isEmpty() || reply.length() > MAX_REPLY) {
      throw new IllegalArgumentException(
          "the parameter reply is a reply of at most %d characters".formatted(MAX_REPLY));
    }
    return ApiResponse.json(queue.classify(reply));
  }

  private static int limit(Optional<String> given) {
    if (given.isEmpty()) return DEFAULT_PAGE;
    if (given.get().matches("\\d{1,4}")) {
      int limit = Integer.parseInt(given.get());
      if (limit >= 1 && limit <= MessageQuery.MAX_PAGE) return limit;
    }
    throw new IllegalArgumentException("limit is 1 to " + MessageQuery.MAX_PAGE);
  }

  private ApiResponse view(ApiRequest request) {
    return QueueId.parse(request.variable("id"))
        .flatMap(queue::message)
        .map(ApiResponse::json)
        .orElseGet(QueueRoutes::noSuchMessage);
  }

  private ApiResponse text(ApiRequest request) {
    return QueueId.parse(request.variable("id"))
        .flatMap(queue::text)
        .map(ApiResponse::json)
        .orElseGet(QueueRoutes::noSuchMessage);
  }

  private ApiRoute change(
      String method, String path, Function<ApiRequest, OperatorCommand> command) {
    return new ApiRoute(
        method, path, Access.WRITE, request -> change(request, command.apply(request)));
  }

  private ApiResponse change(ApiRequest request, OperatorCommand command) {
    Optional<QueueId> id = QueueId.parse(request.variable("id"));
    if (id.isEmpty()) return noSuchMessage();
    return switch (queue.change(id.get(), command)) {
      case DONE -> ApiResponse.json(new ChangedMessage(id.get().toString(), true));
      case NOT_FOUND -> noSuchMessage();
      case HELD -> ApiResponse.problem(409, "Conflict", QueueView.IS_HELD);
      case IN_PROGRESS -> ApiResponse.problem(409, "Conflict", QueueView.IS_IN_PROGRESS);
      case NOT_OWNED ->
          ApiResponse.problem(
              503, "Service Unavailable", "no node delivers the message now; repeat the order");
      case NO_QUORUM ->
          ApiResponse.problem(
              503, "Service Unavailable", "no quorum: the change may not have happened");
    };
  }

  private static ApiResponse noSuchMessage() {
    return ApiResponse.notFound("no message with this id is in the queue");
  }

  private ApiResponse processNow() {
    queue.processNow();
    return ApiResponse.json(Map.of("done", true));
  }

  private ApiResponse suspensions() {
    return ApiResponse.json(queue.suspensions());
  }

  private ApiResponse suspend(ApiRequest request) {
    String domain = domain(request);
    Duration howLong = request.parameter("for").map(Units::parseDuration).orElse(SUSPENDED_FOR);
    if (howLong.toMillis() < 1 || howLong.compareTo(SUSPENDED_FOR_MAX) > 0) {
      throw new IllegalArgumentException("the parameter for is a time of at most 365 days");
    }
    return ApiResponse.json(queue.suspend(domain, howLong, reason(request), request.who()));
  }

  private ApiResponse resume(ApiRequest request) {
    String domain = domain(request);
    if (!queue.resume(domain)) return ApiResponse.notFound("this domain is not suspended");
    return ApiResponse.json(new ResumedDomain(domain, true));
  }

  /**
   * Sets an override and retries the domain's deferred mail at the new host at once: the mail that
   * this node delivers. Another node that does the same has set the override already.
   */
  private ApiResponse reroute(ApiRequest request) {
    String to =
        request
            .parameter("to")
            .orElseThrow(() -> new IllegalArgumentException("the parameter to is missing"));
    String domain = domain(request);
    DnsView.MxOverride set =
        dns.find(domain, to).orElseGet(() -> dns.set(domain, to, request.who()));
    List<String> owned =
        queue.spools().stream()
            .filter(QueueView.SpoolStatus::owned)
            .map(QueueView.SpoolStatus::name)
            .toList();
    int due = owned.isEmpty() ? 0 : makeDue(set.domain(), owned);
    queue.processNow();
    return ApiResponse.json(new RerouteResult(set.domain(), set.host(), due));
  }

  private int makeDue(String domain, List<String> spools) {
    long until = System.nanoTime() + MAX_REROUTE_TIME.toNanos();
    QueueCriteria waiting = new QueueCriteria("retry", "", "", domain, 0, 0, 0, "", "");
    OperatorCommand retry = new OperatorCommand.Retry(false);
    int due = 0;
    int seen = 0;
    String after = "";
    do {
      QueueView.MessagePage page =
          queue.list(new MessageQuery(waiting, after, MessageQuery.MAX_PAGE, spools));
      for (QueueView.QueuedMessage message : page.messages()) {
        if (System.nanoTime() - until > 0) return due;
        Optional<QueueId> id = QueueId.parse(message.id());
        if (id.isPresent() && queue.change(id.get(), retry) == ChangeResult.DONE) due++;
      }
      seen += page.messages().size();
      after = page.cursor() == null ? "" : page.cursor();
    } while (!after.isEmpty() && seen < MAX_REROUTED);
    return due;
  }

  record ChangedMessage(String id, boolean done) {}

  record ResumedDomain(String domain, boolean resumed) {}

  /**
   * The result of a reroute.
   *
   * @param due messages that are retried at once; others go to the new host when they become due
   */
  record RerouteResult(String domain, String host, int due) {}

  private static String domain(ApiRequest request) {
    String domain = request.parameter("domain").orElse("");
    if (domain.isEmpty()) throw new IllegalArgumentException("the parameter domain is missing");
    return AddressPattern.domain(domain);
  }

  private ApiResponse cleanUp() {
    return queue
        .cleanUp()
        .map(ApiResponse::json)
        .orElseGet(() -> ApiResponse.problem(409, "Conflict", "a clean-up is running already"));
  }

  private ApiResponse spools() {
    List<QueueView.SpoolStatus> spools = queue.spools();
    long messages =
        spools.stream().filter(QueueView.SpoolStatus::owned).mapToLong(s -> s.messages()).sum();
    long bytes =
        spools.stream().filter(QueueView.SpoolStatus::owned).mapToLong(s -> s.bytes()).sum();
    long inDoubt = spools.stream().mapToLong(s -> s.inDoubt()).sum();
    return ApiResponse.json(new SpoolTotals(messages, bytes, inDoubt, spools));
  }

  /** The spools of this node, with sums over those that it owns. */
  record SpoolTotals(long messages, long bytes, long inDoubt, List<QueueView.SpoolStatus> spools) {}
}
