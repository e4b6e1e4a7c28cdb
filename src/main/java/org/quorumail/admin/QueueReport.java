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
import java.util.concurrent.Semaphore;
import org.quorumail.api.ChangeRefusedException;
import org.quorumail.api.QueueView;
import org.quorumail.classification.Classification;
import org.quorumail.classification.FailureClassifier;
import org.quorumail.cluster.OperatorOrder.Resume;
import org.quorumail.cluster.OperatorOrder.Suspend;
import org.quorumail.cluster.OperatorOrders;
import org.quorumail.mail.FailureClass;
import org.quorumail.mail.QueueId;
import org.quorumail.node.ClusterOrders;
import org.quorumail.node.NodeState;
import org.quorumail.node.RaftGroups;
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
  private static final String FAILED = "failed";

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

  private final NodeState state;
  private final ClusterOrders orders;
  private final Clock clock;
  private final Semaphore cleaning = new Semaphore(1);

  public QueueReport(NodeState state, ClusterOrders orders, Clock clock) {
    this.state = state;
    this.orders = orders;
    this.clock = clock;
  }

  @Override
  public MessagePage list(MessageQuery filter) {
    Optional<RaftGroups> open = state.groups();
    String note = NOTES.get(filter.status());
    if (open.isEmpty()) return new MessagePage(List.of(), null, note);
    Optional<MessageStatus> status = status(filter.status());
    boolean wantsFailed = filter.status().equals(FAILED);
    boolean none = !filter.status().isEmpty() && status.isEmpty() && !wantsFailed;
    if (none) return new MessagePage(List.of(), null, note);
    SpoolQueries.MessageCriteria wanted =
        new SpoolQueries.MessageCriteria(
            status,
            nonEmpty(filter.domain()),
            nonEmpty(filter.sender()),
            filter.minAgeMillis() > 0
                ? Optional.of(Duration.ofMillis(filter.minAgeMillis()))
                : Optional.empty());
    requireHere(open.get(), filter.spools());
    SpoolQueries.Page page =
        open.get().spools().queries().page(wanted, filter.spools(), filter.after(), filter.limit());
    List<QueuedMessage> messages =
        page.messages().stream()
            .filter(located -> !wantsFailed || hasFailed(located.message()))
            .map(this::message)
            .toList();
    return new MessagePage(messages, page.next().orElse(null), note);
  }

  /** Whether no message in a queue has this status. */
  static boolean isEndStatus(String status) {
    return NOTES.containsKey(status) && !status.equals(FAILED);
  }

  /** A node that asks for a spool that is not here must not take that for an empty one. */
  private static void requireHere(RaftGroups groups, List<String> spools) {
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

  private static boolean hasFailed(SpooledMessage message) {
    return message.recipients().stream().anyMatch(r -> r.status() == RecipientStatus.FAILED);
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
  public ChangeResult retry(QueueId id) {
    return change(commands -> commands.retry(id));
  }

  @Override
  public ChangeResult hold(QueueId id) {
    return change(commands -> commands.hold(id));
  }

  @Override
  public ChangeResult release(QueueId id) {
    return change(commands -> commands.release(id));
  }

  @Override
  public ChangeResult delete(QueueId id) {
    return change(commands -> commands.remove(id));
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

  private ChangeResult change(
      java.util.function.Function<SpoolCommands, SpoolCommands.CommandStatus> order) {
    Optional<RaftGroups> open = state.groups();
    if (open.isEmpty()) return ChangeResult.NO_QUORUM;
    return switch (order.apply(open.get().spools().commands())) {
      case DONE -> ChangeResult.DONE;
      case NO_SUCH_MESSAGE -> ChangeResult.NOT_FOUND;
      case HELD -> ChangeResult.HELD;
      case NO_QUORUM -> ChangeResult.NO_QUORUM;
    };
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
