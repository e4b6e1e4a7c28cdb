package org.quorumail.api;

import java.time.Duration;
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
import org.quorumail.config.LocalPart;
import org.quorumail.config.Units;
import org.quorumail.mail.QueueId;

/** The routes of the queue and of its spools. */
final class QueueRoutes {
  private static final int DEFAULT_PAGE = 100;

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
        new ApiRoute(
            "GET", "/api/queue", Access.READ, r -> ApiResponse.json(queue.list(filter(r)))),
        new ApiRoute("GET", "/api/queue/stats", Access.READ, this::stats),
        new ApiRoute("GET", "/api/queue/classify", Access.READ, this::classify),
        new ApiRoute("POST", "/api/queue/process-now", Access.WRITE, r -> processNow()),
        new ApiRoute("GET", "/api/queue/suspensions", Access.READ, r -> suspensions()),
        new ApiRoute("POST", "/api/queue/suspend", Access.WRITE, this::suspend),
        new ApiRoute("POST", "/api/queue/resume", Access.WRITE, this::resume),
        new ApiRoute("POST", "/api/queue/reroute", Access.WRITE, this::reroute),
        new ApiRoute("GET", "/api/queue/{id}", Access.READ, this::view),
        // the words of people, not only their addresses: for those who may change the queue
        new ApiRoute("GET", "/api/queue/{id}/text", Access.WRITE, this::text),
        new ApiRoute("POST", "/api/queue/{id}/retry", Access.WRITE, r -> change(r, queue::retry)),
        new ApiRoute("POST", "/api/queue/{id}/hold", Access.WRITE, r -> change(r, queue::hold)),
        new ApiRoute(
            "POST", "/api/queue/{id}/release", Access.WRITE, r -> change(r, queue::release)),
        new ApiRoute("DELETE", "/api/queue/{id}", Access.WRITE, r -> change(r, queue::delete)),
        new ApiRoute("GET", "/api/spool/stats", Access.READ, r -> spools()),
        new ApiRoute("POST", "/api/spool/cleanup-completed", Access.WRITE, r -> cleanUp()),
        new ApiRoute(
            "GET", "/api/spool/digests", Access.READ, r -> ApiResponse.json(queue.digests())));
  }

  private static MessageQuery filter(ApiRequest request) {
    String status = request.parameter("status").orElse("");
    if (!status.isEmpty() && !QueueView.STATUSES.contains(status)) {
      throw new IllegalArgumentException(
          "status is one of " + String.join(", ", QueueView.STATUSES));
    }
    String after = request.parameter("cursor").orElse("");
    if (!after.isEmpty() && !CURSOR.matcher(after).matches()) {
      throw new IllegalArgumentException("cursor must come from an earlier page");
    }
    return new MessageQuery(
        status,
        request
            .parameter("domain")
            .filter(d -> !d.isEmpty())
            .map(AddressPattern::domain)
            .orElse(""),
        request.parameter("sender").map(QueueRoutes::sender).orElse(""),
        request.parameter("older_than").map(t -> Units.parseDuration(t).toMillis()).orElse(0L),
        after,
        limit(request.parameter("limit")),
        spools(request));
  }

  /** The names of the spools that are meant; a node asks another one for some. */
  private static List<String> spools(ApiRequest request) {
    List<String> names = request.parameters("spool");
    if (names.size() > MAX_SPOOLS) throw new IllegalArgumentException("too many spools are named");
    return names;
  }

  private ApiResponse stats(ApiRequest request) {
    return ApiResponse.json(queue.stats(spools(request)));
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

  private static ApiResponse change(ApiRequest request, Function<QueueId, ChangeResult> change) {
    Optional<QueueId> id = QueueId.parse(request.variable("id"));
    if (id.isEmpty()) return noSuchMessage();
    return switch (change.apply(id.get())) {
      case DONE -> ApiResponse.json(new ChangedMessage(id.get().toString(), true));
      case NOT_FOUND -> noSuchMessage();
      case HELD -> ApiResponse.problem(409, "Conflict", "the message is held; release it first");
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
    String reason = request.parameter("reason").orElse("").strip();
    if (reason.length() > OperatorOrder.REASON_MAX) {
      throw new IllegalArgumentException(
          "the parameter reason has at most %d characters".formatted(OperatorOrder.REASON_MAX));
    }
    return ApiResponse.json(queue.suspend(domain, howLong, reason, request.who()));
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
    int due = 0;
    int seen = 0;
    String after = "";
    do {
      QueueView.MessagePage page =
          queue.list(
              new MessageQuery("retry", domain, "", 0, after, MessageQuery.MAX_PAGE, spools));
      for (QueueView.QueuedMessage message : page.messages()) {
        if (System.nanoTime() - until > 0) return due;
        Optional<QueueId> id = QueueId.parse(message.id());
        if (id.isPresent() && queue.retry(id.get()) == ChangeResult.DONE) due++;
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

  /**
   * The beginning of a sender, as the spool has it: the domain in its ASCII form, the local part
   * with the least quoting.
   */
  private static String sender(String prefix) {
    int at = prefix.lastIndexOf('@');
    if (at < 0) return prefix;
    String domain = prefix.substring(at + 1);
    boolean ascii = domain.chars().allMatch(c -> c <= 0x7F);
    String local = LocalPart.minimallyQuoted(prefix.substring(0, at));
    return local + "@" + (ascii ? domain : AddressPattern.domain(domain));
  }

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
