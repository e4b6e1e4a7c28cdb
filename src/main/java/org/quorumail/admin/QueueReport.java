package org.quorumail.admin;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.LongAdder;
import org.quorumail.api.ChangeRefusedException;
import org.quorumail.api.QueueBreakdown;
import org.quorumail.api.QueueCriteria;
import org.quorumail.api.QueueView;
import org.quorumail.classification.Classification;
import org.quorumail.classification.FailureClassifier;
import org.quorumail.cluster.OperatorOrder.Resume;
import org.quorumail.cluster.OperatorOrder.Suspend;
import org.quorumail.cluster.OperatorOrders;
import org.quorumail.mail.FailureClass;
import org.quorumail.mail.OperatorCommand;
import org.quorumail.mail.QueueId;
import org.quorumail.node.ClusterOrders;
import org.quorumail.node.NodeState;
import org.quorumail.node.RaftGroups;
import org.quorumail.queue.BounceResult;
import org.quorumail.queue.DeliveryQueue;
import org.quorumail.spool.MessageStatus;
import org.quorumail.spool.SpoolCommands;
import org.quorumail.spool.SpoolCounters;
import org.quorumail.spool.SpoolQueries;
import org.quorumail.spool.SpooledMessage;
import org.quorumail.spool.SpooledMessage.RecipientState;
import org.quorumail.spool.SpooledMessage.RecipientStatus;

/**
 * The queue as the API shows and changes it: messages from the replicas on this node, attempts from
 * this node's own queue.
 */
public final class QueueReport implements QueueView {
  static final String FAILED = "failed";

  /** The rules until the queue runs. */
  private static final FailureClassifier BUILT_IN = FailureClassifier.builtIn();

  /** The notes of the statuses that a message in the queue does not keep. */
  private static final Map<String, String> NOTES =
      Map.of(
          "completed",
          "completed messages leave the queue at once: queue stats counts them",
          "expired",
          "expired messages leave the queue at once: queue stats counts them",
          FAILED,
          "only messages with other recipients that wait are listed; a failed message leaves"
              + " the queue at once: queue stats counts it, event=failed in the log has its"
              + " reason",
          "in-progress",
          "a message is listed as pending or retry during an attempt: queue stats counts attempts");

  /** A count ends after this time, so that a caller sees progress. */
  private static final Duration WALK_TIME = Duration.ofSeconds(2);

  private final NodeState state;
  private final ClusterOrders orders;
  private final Clock clock;
  private final TraceReport traces;
  private final Semaphore cleaning = new Semaphore(1);

  public QueueReport(NodeState state, ClusterOrders orders, Clock clock) {
    this.state = state;
    this.orders = orders;
    this.clock = clock;
    this.traces = new TraceReport(state, clock);
  }

  @Override
  public Optional<MessageTrace> trace(QueueId id) {
    return traces.trace(id);
  }

  @Override
  public MailEventPage mailEvents(MailEventQuery query) {
    return traces.mailEvents(query);
  }

  @Override
  public TraceList traces(TraceQuery query) {
    return traces.traces(query);
  }

  @Override
  public MessagePage list(MessageQuery query) {
    String status = query.filter().status();
    String note = NOTES.get(status);
    Optional<RaftGroups> open = state.groups();
    if (open.isEmpty() || findsNothing(status)) return new MessagePage(List.of(), null, note);
    requireHere(open.get(), query.spools());
    SpoolQueries.Page page =
        open.get()
            .spools()
            .queries()
            .page(criteria(query.filter()), query.spools(), query.after(), query.limit());
    List<QueuedMessage> messages = page.messages().stream().map(this::message).toList();
    return new MessagePage(messages, page.next().orElse(null), note);
  }

  @Override
  public MessageCount count(MessageQuery query) {
    Optional<RaftGroups> open = state.groups();
    if (open.isEmpty() || findsNothing(query.filter().status()))
      return new MessageCount(0, null, null);
    requireHere(open.get(), query.spools());
    LongAdder found = new LongAdder();
    Optional<String> next =
        open.get()
            .spools()
            .queries()
            .walk(
                criteria(query.filter()),
                query.spools(),
                query.after(),
                WALK_TIME,
                message -> found.increment());
    return new MessageCount(found.sum(), next.orElse(null), null);
  }

  @Override
  public QueueBreakdown breakdown(String by, int limit, List<String> spools) {
    BreakdownCounter counter = new BreakdownCounter(by, classifier(), clock.millis());
    Optional<RaftGroups> open = state.groups();
    if (open.isEmpty()) return counter.result(true, limit);
    requireHere(open.get(), spools);
    Optional<String> rest =
        open.get()
            .spools()
            .queries()
            .walk(SpoolQueries.MessageCriteria.ALL, spools, "", WALK_TIME, counter);
    return counter.result(rest.isEmpty(), limit);
  }

  @Override
  public ChangedMessages change(MessageQuery query, OperatorCommand command) {
    Optional<RaftGroups> open = state.groups();
    if (open.isEmpty() || findsNothing(query.filter().status()))
      return new ChangedMessages(List.of(), 0, null, null, null);
    requireHere(open.get(), query.spools());
    SpoolQueries.MessageCriteria criteria = criteria(query.filter()).stable();
    SpoolQueries.Page page =
        open.get().spools().queries().page(criteria, query.spools(), query.after(), query.limit());
    Map<String, List<QueueId>> bySpool = new TreeMap<>();
    for (SpoolQueries.LocatedMessage m : page.messages())
      bySpool.computeIfAbsent(m.spool(), s -> new ArrayList<>()).add(m.message().id());
    List<String> changed = new ArrayList<>();
    int skipped = 0;
    for (Map.Entry<String, List<QueueId>> part : bySpool.entrySet()) {
      List<QueueId> ids = part.getValue();
      List<ChangeResult> statuses = run(open.get(), part.getKey(), ids, command);
      for (int i = 0; i < ids.size(); i++) {
        switch (statuses.get(i)) {
          case DONE -> changed.add(ids.get(i).toString());
          case HELD, IN_PROGRESS -> skipped++;
          case NOT_FOUND -> {} // it has ended meanwhile
          case NOT_OWNED ->
              throw ChangeRefusedException.noQuorum(
                  "another node delivers from %s: %d messages are changed"
                      .formatted(part.getKey(), changed.size()));
          case NO_QUORUM ->
              throw ChangeRefusedException.noQuorum(
                  "no quorum for %s: %d messages are changed, and others may be"
                      .formatted(part.getKey(), changed.size()));
        }
      }
    }
    String reason = command instanceof OperatorCommand.Bounce ? IS_IN_PROGRESS : IS_HELD;
    if (skipped == 0) reason = null;
    return new ChangedMessages(changed, skipped, reason, page.next().orElse(null), null);
  }

  private SpoolQueries.MessageCriteria criteria(QueueCriteria filter) {
    return new SpoolQueries.MessageCriteria(
        status(filter.status()),
        nonEmpty(filter.domain()),
        nonEmpty(filter.sender()),
        filter.minAgeMillis() > 0
            ? Optional.of(Duration.ofMillis(filter.minAgeMillis()))
            : Optional.empty(),
        new CriteriaPredicate(filter, classifier()),
        false);
  }

  private static boolean findsNothing(String status) {
    return !status.isEmpty() && !status.equals(FAILED) && status(status).isEmpty();
  }

  /** Whether no message in a queue has this status. */
  static boolean isEndStatus(String status) {
    return NOTES.containsKey(status) && !status.equals(FAILED);
  }

  /** A node that asks for a spool that is not here must not take that for an empty one. */
  static void requireHere(RaftGroups groups, List<String> spools) {
    for (String name : spools) {
      boolean isHere =
          name.isEmpty()
              || groups.spools().all().stream()
                  .anyMatch(s -> s.name().equals(name) && !s.isJoining());
      if (!isHere)
        throw new IllegalArgumentException("this node has no complete replica of " + name);
    }
  }

  @Override
  public Optional<QueuedMessage> message(QueueId id) {
    return state.groups().flatMap(g -> g.spools().queries().find(id)).map(this::message);
  }

  @Override
  public Optional<MessageText> text(QueueId id) {
    Optional<InputStream> content = state.groups().flatMap(g -> g.spools().queries().content(id));
    if (content.isEmpty()) return Optional.empty();
    try (InputStream in = content.get()) {
      byte[] start = in.readNBytes(MessageText.MAX_HEADER + MessageText.MAX_BODY);
      return Optional.of(text(id, start, in.read() < 0));
    } catch (IOException e) {
      return Optional.empty(); // the message has ended meanwhile
    }
  }

  /** Splits the beginning of a message at its empty line, and cuts both parts. */
  private static MessageText text(QueueId id, byte[] start, boolean isWhole) {
    String all = new String(start, StandardCharsets.ISO_8859_1);
    int blank = all.indexOf("\r\n\r\n");
    int headerEnd = blank < 0 ? all.length() : blank + 2;
    int body = blank < 0 ? all.length() : blank + 4;
    int cutHeader = Math.min(headerEnd, MessageText.MAX_HEADER);
    int cutBody = Math.min(all.length(), body + MessageText.MAX_BODY);
    boolean complete = isWhole && cutHeader == headerEnd && cutBody == all.length();
    return new MessageText(
        id.toString(),
        new String(start, 0, cutHeader, StandardCharsets.UTF_8),
        new String(start, body, cutBody - body, StandardCharsets.UTF_8),
        complete);
  }

  @Override
  public QueueTotals stats(List<String> spools) {
    Optional<RaftGroups> open = state.groups();
    if (open.isEmpty()) return new QueueTotals(0, 0, 0, Map.of());
    requireHere(open.get(), spools);
    long total = 0;
    long bytes = 0;
    long oldest = Long.MAX_VALUE;
    Map<String, Long> byStatus = new TreeMap<>();
    for (SpoolQueries.ReplicaStats s : open.get().spools().queries().stats(spools)) {
      SpoolCounters c = s.counters();
      total += c.messages();
      bytes += c.bytes();
      oldest = Math.min(oldest, s.oldestMillis().orElse(Long.MAX_VALUE));
      for (MessageStatus status : MessageStatus.values()) {
        byStatus.merge(status.text(), c.count(status), Long::sum);
      }
      byStatus.merge("completed", c.completed(), Long::sum);
      byStatus.merge("failed", c.failed(), Long::sum);
      byStatus.merge("expired", c.expired(), Long::sum);
    }
    state.queue().ifPresent(q -> byStatus.put("in-progress", (long) q.stats().running()));
    byStatus.values().removeIf(n -> n == 0);
    long age = oldest == Long.MAX_VALUE ? 0 : Math.max(0, (clock.millis() - oldest) / 1000);
    return new QueueTotals(total, bytes, age, byStatus);
  }

  @Override
  public ChangeResult change(QueueId id, OperatorCommand command) {
    Optional<RaftGroups> open = state.groups();
    if (open.isEmpty()) return ChangeResult.NO_QUORUM;
    if (command instanceof OperatorCommand.Bounce bounce) return bounce(id, bounce);
    return result(open.get().spools().commands().run(id, command));
  }

  private static ChangeResult result(SpoolCommands.CommandStatus status) {
    return switch (status) {
      case DONE -> ChangeResult.DONE;
      case NO_SUCH_MESSAGE -> ChangeResult.NOT_FOUND;
      case HELD -> ChangeResult.HELD;
      case NO_QUORUM -> ChangeResult.NO_QUORUM;
    };
  }

  private List<ChangeResult> run(
      RaftGroups groups, String spool, List<QueueId> ids, OperatorCommand command) {
    return command instanceof OperatorCommand.Bounce bounce
        ? bounceAll(ids, bounce)
        : groups.spools().commands().run(spool, ids, command).stream()
            .map(QueueReport::result)
            .toList();
  }

  /** Bounces many at once, so that the records of many share an entry of the log. */
  private List<ChangeResult> bounceAll(List<QueueId> ids, OperatorCommand.Bounce order) {
    List<Future<ChangeResult>> results = new ArrayList<>();
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      for (QueueId id : ids) results.add(executor.submit(() -> bounce(id, order)));
    }
    return results.stream().map(Future::resultNow).toList();
  }

  private ChangeResult bounce(QueueId id, OperatorCommand.Bounce order) {
    BounceResult result =
        state.queue().map(q -> q.bounce(id, order)).orElse(BounceResult.NOT_OWNED);
    return switch (result) {
      case DONE -> ChangeResult.DONE;
      case IN_PROGRESS -> ChangeResult.IN_PROGRESS;
      case NOT_RECORDED -> ChangeResult.NO_QUORUM;
      case NOT_OWNED -> message(id).isPresent() ? ChangeResult.NOT_OWNED : ChangeResult.NOT_FOUND;
    };
  }

  @Override
  public void processNow() {
    state.queue().ifPresent(DeliveryQueue::sweepNow);
  }

  @Override
  public Suspension suspend(String domain, Duration howLong, String reason, String author) {
    Instant now = clock.instant().truncatedTo(ChronoUnit.MILLIS);
    long until = now.plus(howLong).toEpochMilli();
    Suspend order = new Suspend(domain, now.toEpochMilli(), until, reason, author);
    return switch (orders.give(order)) {
      case FULL ->
          throw ChangeRefusedException.conflict("too many domains are suspended; resume some");
      case DONE, ABSENT -> suspension(order, now);
    };
  }

  @Override
  public boolean resume(String domain) {
    return orders.give(new Resume(domain)) == OperatorOrders.Result.DONE;
  }

  @Override
  public List<Suspension> suspensions() {
    Instant now = clock.instant();
    return orders.current().suspensions().values().stream()
        .filter(s -> s.until() > now.toEpochMilli())
        .map(s -> suspension(s, now))
        .toList();
  }

  private static Suspension suspension(Suspend order, Instant now) {
    Instant until = Instant.ofEpochMilli(order.until());
    return new Suspension(
        order.domain(),
        Duration.between(now, until).toSeconds(),
        until.truncatedTo(ChronoUnit.SECONDS).toString(),
        order.reason(),
        order.author());
  }

  @Override
  public Optional<CleanupResult> cleanUp() {
    Optional<RaftGroups> open = state.groups();
    if (open.isEmpty() || !cleaning.tryAcquire()) return Optional.empty();
    try {
      long before = 0;
      long after = 0;
      long ended = 0;
      for (org.quorumail.spool.Spool spool : open.get().spools().all()) {
        var freed = spool.compact();
        before += freed.bytesBefore();
        after += freed.bytesAfter();
        SpoolCounters c = spool.counters();
        ended += c.completed() + c.failed(); // the expired are among the failed
      }
      return Optional.of(new CleanupResult(ended, before, after));
    } finally {
      cleaning.release();
    }
  }

  @Override
  public List<QueueView.SpoolStatus> spools() {
    List<QueueView.SpoolStatus> spools = new ArrayList<>();
    state.groups().ifPresent(g -> g.spools().all().forEach(s -> spools.add(spool(g, s))));
    spools.sort(java.util.Comparator.comparing(QueueView.SpoolStatus::name));
    return spools;
  }

  @Override
  public List<SpoolDigest> digests() {
    return state
        .groups()
        .map(
            g ->
                g.spools().queries().digests().stream()
                    .map(
                        d ->
                            new SpoolDigest(
                                d.spool(), d.position().term(), d.position().index(), d.sha256()))
                    .toList())
        .orElse(List.of());
  }

  private static QueueView.SpoolStatus spool(RaftGroups groups, org.quorumail.spool.Spool s) {
    var position = s.applied();
    return new QueueView.SpoolStatus(
        s.name(),
        s.isLeader() ? "leader" : s.isJoining() ? SpoolStatus.JOINING : "follower",
        groups.leader(s.name()).orElse(null),
        position.term(),
        position.index(),
        s.ownedSpool().isPresent(),
        s.counters().messages(),
        s.counters().bytes(),
        s.inDoubt());
  }

  private QueuedMessage message(SpoolQueries.LocatedMessage located) {
    SpooledMessage m = located.message();
    long next = Long.MAX_VALUE;
    int attempts = 0;
    for (RecipientState r : m.recipients()) {
      if (r.status() == RecipientStatus.PENDING) next = Math.min(next, r.dueMillis());
      attempts = Math.max(attempts, r.attempts());
    }
    return new QueuedMessage(
        m.id().toString(),
        located.status(clock.millis()).text(),
        m.reversePath().toString(),
        Instant.ofEpochMilli(m.arrivedMillis()).toString(),
        m.size(),
        located.spool(),
        attempts,
        next == Long.MAX_VALUE || m.held() ? null : Instant.ofEpochMilli(next).toString(),
        m.deliverFromMillis() > clock.millis()
            ? Instant.ofEpochMilli(m.deliverFromMillis()).toString()
            : null,
        m.recipients().stream().map(r -> recipient(r, m.held())).toList());
  }

  private QueuedRecipient recipient(RecipientState r, boolean held) {
    boolean pending = r.status() == RecipientStatus.PENDING;
    String status =
        !pending
            ? r.status().name().toLowerCase(Locale.ROOT)
            : r.attempts() > 0 ? "retry" : "pending";
    return new QueuedRecipient(
        r.address().toString(),
        status,
        r.attempts(),
        pending && !held ? Instant.ofEpochMilli(r.dueMillis()).toString() : null,
        r.diagnostic().isEmpty() ? null : r.diagnostic(),
        failureClass(r).map(FailureClass::text).orElse(null));
  }

  /** The class of the last failure; empty before the first attempt and after a delivery. */
  private Optional<FailureClass> failureClass(RecipientState r) {
    if (r.status() == RecipientStatus.DELIVERED || r.attempts() == 0) return Optional.empty();
    return Optional.of(classifier().classify(r.diagnostic()).failureClass());
  }

  private FailureClassifier classifier() {
    return state.queue().map(DeliveryQueue::classifier).orElse(BUILT_IN);
  }

  @Override
  public ClassifiedReply classify(String reply) {
    Classification found = classifier().classify(reply);
    return new ClassifiedReply(
        found.failureClass().text(), found.rule(), found.action().toString(), reply);
  }

  private static Optional<MessageStatus> status(String text) {
    for (MessageStatus s : MessageStatus.values()) if (s.text().equals(text)) return Optional.of(s);
    return Optional.empty();
  }

  private static Optional<String> nonEmpty(String text) {
    return text.isEmpty() ? Optional.empty() : Optional.of(text);
  }
}
