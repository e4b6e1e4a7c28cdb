package org.quorumail.admin;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;
import org.quorumail.api.NodeAnswer;
import org.quorumail.api.OtherNodes;
import org.quorumail.api.QueueBreakdown;
import org.quorumail.api.QueueView;
import org.quorumail.mail.OperatorCommand;
import org.quorumail.mail.QueueId;
import org.quorumail.spool.SpoolQueries;

/**
 * The queue over all spools of the cluster. A spool is listed and counted from one replica: from
 * the one on this node, else from that of another node, the home of the spool first. So no message
 * is listed twice, and none is missing while ownership moves or while some replica answers.
 * Everything that concerns one message or one node is the queue's of this node; {@code Api} extends
 * that.
 */
public final class ClusterQueue implements QueueView {
  /** A page ends after this time, however short it is, so that a caller sees progress. */
  private static final Duration PAGE_TIME = Duration.ofSeconds(3);

  private static final Duration QUERY_TIMEOUT = OtherNodes.QUERY_TIMEOUT;

  private final QueueView local;
  private final OtherNodes others;

  /**
   * @param local the queue over the spools of which this node has a replica
   */
  public ClusterQueue(QueueView local, OtherNodes others) {
    this.local = local;
    this.others = others;
  }

  @Override
  public MessagePage list(MessageQuery query) {
    if (isIn(here(), query)) return local.list(query);
    List<QueuedMessage> found = new ArrayList<>();
    SpoolWalk<MessagePage> pages = new SpoolWalk<>(MessagePage.class, MessagePage::cursor);
    String path = query.filter().isNew() ? "/api/queue/search" : "/api/queue";
    String next =
        pages.run(
            query,
            here(),
            local::list,
            (part, node) -> askInParts(part, node, path),
            page -> {
              found.addAll(page.messages());
              return page.messages().size();
            });
    String note = pages.last == null ? null : pages.last.note();
    return new MessagePage(found, next, note, pages.missingPart());
  }

  @Override
  public MessageCount count(MessageQuery query) {
    if (isIn(here(), query)) return local.count(query);
    LongAdder count = new LongAdder();
    SpoolWalk<MessageCount> counts = new SpoolWalk<>(MessageCount.class, MessageCount::cursor);
    String next =
        counts.run(
            query,
            here(),
            local::count,
            (part, node) -> counts.ask(node, "GET", "/api/queue/count", part, "", QUERY_TIMEOUT),
            answer -> {
              count.add(answer.messages());
              return 0;
            });
    return new MessageCount(count.sum(), next, counts.missingPart());
  }

  @Override
  public ChangedMessages change(MessageQuery query, OperatorCommand command) {
    boolean byOwner = command instanceof OperatorCommand.Bounce;
    Set<String> here = byOwner ? owned() : here();
    if (isIn(here, query)) return local.change(query, command);
    List<String> ids = new ArrayList<>();
    LongAdder skipped = new LongAdder();
    CommandTarget target = CommandTarget.of(command);
    SpoolWalk<ChangedMessages> changes =
        new SpoolWalk<>(ChangedMessages.class, ChangedMessages::cursor);
    String next =
        changes.run(
            query,
            here,
            part -> local.change(part, command),
            (part, node) ->
                changes.ask(
                    node,
                    target.method(),
                    target.path(),
                    part,
                    target.parameters(),
                    OtherNodes.CHANGE_TIMEOUT),
            answer -> {
              ids.addAll(answer.ids());
              skipped.add(answer.skipped());
              return answer.ids().size() + answer.skipped();
            });
    String reason = skipped.sum() == 0 ? null : byOwner ? IS_IN_PROGRESS : IS_HELD;
    return new ChangedMessages(ids, skipped.intValue(), reason, next, changes.missingPart());
  }

  /** Whether all spools that the query is about are among these, or it needs none. */
  private boolean isIn(Set<String> here, MessageQuery query) {
    return QueueReport.isEndStatus(query.filter().status())
        || here.containsAll(spools(query.spools()).keySet());
  }

  /** The spools from which this node delivers. */
  private Set<String> owned() {
    Set<String> owned = new TreeSet<>();
    for (SpoolStatus spool : local.spools()) if (spool.owned()) owned.add(spool.name());
    return owned;
  }

  /**
   * A walk through spools, each answered by this node or by one that has it.
   *
   * @param <T> the answer about a part of a spool
   */
  private final class SpoolWalk<T> {
    private final Class<T> type;
    private final Function<T, @Nullable String> cursor;
    private final Set<String> silent = new TreeSet<>();
    private final Set<String> missing = new TreeSet<>();
    @Nullable T last;

    /** Whether the node that was asked last has answered, but not with what was wanted. */
    private boolean refused;

    SpoolWalk(Class<T> type, Function<T, @Nullable String> cursor) {
      this.type = type;
      this.cursor = cursor;
    }

    /**
     * Walks until the page is full or its time is over.
     *
     * @param add takes an answer, and returns the number of messages in it
     * @return where to go on; null at the end
     */
    @Nullable String run(
        MessageQuery query,
        Set<String> here,
        Function<MessageQuery, T> own,
        BiFunction<MessageQuery, String, Optional<T>> other,
        ToIntFunction<T> add) {
      NavigableMap<String, List<String>> spools = spools(query.spools());
      long until = System.nanoTime() + PAGE_TIME.toNanos();
      String begin = SpoolQueries.spoolOf(query.after());
      int found = 0;
      for (Map.Entry<String, List<String>> spool : spools.tailMap(begin, true).entrySet()) {
        String name = spool.getKey();
        MessageQuery part =
            query.part(
                name, name.equals(begin) ? query.after() : "", Math.max(1, query.limit() - found));
        Optional<T> answer =
            here.contains(name) ? Optional.of(own.apply(part)) : ask(part, spool.getValue(), other);
        if (answer.isEmpty()) missing.add(name);
        else found += add.applyAsInt(answer.get());
        last = answer.orElse(last);
        String next = answer.isEmpty() ? null : cursor.apply(answer.get());
        boolean ends = found >= query.limit() || System.nanoTime() - until > 0;
        boolean isLast = name.equals(spools.lastKey());
        if (next == null && ends && !isLast) next = SpoolQueries.cursorAfter(name);
        if (next != null) return next;
      }
      return null;
    }

    private Optional<T> ask(
        MessageQuery part,
        List<String> holders,
        BiFunction<MessageQuery, String, Optional<T>> other) {
      for (String node : inOrder(others, holders, silent)) {
        Optional<T> answer = other.apply(part, node);
        if (answer.isPresent()) return answer;
        if (!refused) silent.add(node);
        refused = false;
      }
      return Optional.empty();
    }

    /** Asks one node; empty when it does not answer, or refuses. */
    Optional<T> ask(
        String node,
        String method,
        String path,
        MessageQuery query,
        String parameters,
        Duration timeout) {
      String target = path + "?" + target(query, query.limit()) + parameters;
      Optional<NodeAnswer> answer = others.call(node, method, target, timeout);
      refused = answer.isPresent() && !answer.get().isSuccess(); // another node may own the spool
      return answer.filter(NodeAnswer::isSuccess).flatMap(a -> a.read(type));
    }

    @Nullable MissingPart missingPart() {
      return ClusterQueue.missingPart(silent, missing);
    }
  }

  /** A page of another node, shorter when so many messages are too much for one answer. */
  private Optional<MessagePage> askInParts(MessageQuery query, String node, String path) {
    for (int limit = query.limit(); limit > 0; limit /= 4) {
      String target = path + "?" + target(query, limit);
      Optional<NodeAnswer> answer = others.call(node, "GET", target, QUERY_TIMEOUT);
      if (answer.isEmpty()) return Optional.empty();
      if (answer.get().isSuccess()) return answer.get().read(MessagePage.class);
      if (answer.get().status() != NodeAnswer.TOO_LONG) return Optional.empty();
    }
    return Optional.empty();
  }

  private static String target(MessageQuery query, int limit) {
    StringBuilder target = new StringBuilder("limit=").append(limit);
    query.spools().forEach(spool -> append(target, "spool", spool));
    append(target, "cursor", query.after());
    String filter = query.filter().query();
    if (!filter.isEmpty()) target.append('&').append(filter);
    return target.toString();
  }

  private static void append(StringBuilder target, String name, String value) {
    if (value.isEmpty()) return;
    target.append('&').append(name).append('=');
    target.append(URLEncoder.encode(value, StandardCharsets.UTF_8));
  }

  @Override
  public QueueTotals stats(List<String> names) {
    NavigableMap<String, List<String>> spools = spools(names);
    Set<String> here = here();
    here.retainAll(spools.keySet());
    Map<String, List<String>> elsewhere = new TreeMap<>(spools);
    elsewhere.keySet().removeAll(here);
    if (others.ids().isEmpty()) return local.stats(names);
    List<QueueTotals> totals = new ArrayList<>();
    totals.add(local.stats(here.isEmpty() ? NO_SPOOL : List.copyOf(here)));
    Set<String> silent = new TreeSet<>();
    Map<String, List<String>> byNode = assign(elsewhere, silent);
    others.ids().forEach(id -> byNode.putIfAbsent(id, NO_SPOOL));
    boolean again = false;
    while (!byNode.isEmpty()) { // a node that does not answer is not asked again, so this ends
      for (Map.Entry<String, Optional<QueueTotals>> answer : count(byNode).entrySet()) {
        String node = answer.getKey();
        if (answer.getValue().isEmpty()) {
          silent.add(node);
          continue;
        }
        QueueTotals part = answer.getValue().get();
        totals.add(again ? withoutAttempts(part) : part);
        elsewhere.keySet().removeAll(byNode.getOrDefault(node, List.of()));
      }
      byNode.clear();
      byNode.putAll(assign(elsewhere, silent));
      again = true;
    }
    return sum(totals, missingPart(silent, elsewhere.keySet()));
  }

  @Override
  public QueueBreakdown breakdown(String by, int limit, List<String> names) {
    Map<String, List<String>> elsewhere = new TreeMap<>(spools(names));
    Set<String> here = here();
    here.retainAll(elsewhere.keySet());
    elsewhere.keySet().removeAll(here);
    int most = QueueBreakdown.ROWS_MAX;
    List<QueueBreakdown> parts = new ArrayList<>();
    if (!here.isEmpty()) parts.add(local.breakdown(by, most, List.copyOf(here)));
    Set<String> silent = new TreeSet<>();
    Map<String, List<String>> byNode = assign(elsewhere, silent);
    while (!byNode.isEmpty()) { // a node that does not answer is not asked again, so this ends
      byNode.forEach(
          (node, spools) -> {
            Optional<QueueBreakdown> part = breakdown(node, by, spools);
            part.ifPresent(parts::add);
            if (part.isPresent()) elsewhere.keySet().removeAll(spools);
            else silent.add(node);
          });
      byNode = assign(elsewhere, silent);
    }
    return QueueBreakdown.sum(by, parts, limit, missingPart(silent, elsewhere.keySet()));
  }

  private Optional<QueueBreakdown> breakdown(String node, String by, List<String> spools) {
    StringBuilder target = new StringBuilder("/api/queue/stats/").append(by);
    target.append("?limit=").append(QueueBreakdown.ROWS_MAX);
    spools.forEach(spool -> append(target, "spool", spool));
    return others
        .call(node, "GET", target.toString(), QUERY_TIMEOUT)
        .filter(NodeAnswer::isSuccess)
        .flatMap(answer -> answer.read(QueueBreakdown.class));
  }

  /** The totals of a node whose attempts are counted already. */
  private static QueueTotals withoutAttempts(QueueTotals part) {
    Map<String, Long> byStatus = new TreeMap<>(part.byStatus());
    byStatus.remove("in-progress");
    return new QueueTotals(part.total(), part.bytes(), part.oldestAgeSeconds(), byStatus);
  }

  /** For a node that only reports what it is doing. */
  private static final List<String> NO_SPOOL = List.of("");

  /** Gives each spool to the first of its holders that may answer. */
  private Map<String, List<String>> assign(Map<String, List<String>> spools, Set<String> silent) {
    Map<String, List<String>> byNode = new HashMap<>();
    spools.forEach(
        (spool, holders) ->
            inOrder(others, holders, silent).stream()
                .findFirst()
                .ifPresent(
                    node -> byNode.computeIfAbsent(node, n -> new ArrayList<>()).add(spool)));
    return byNode;
  }

  /** Asks each node for the totals of its part of the spools, all at once. */
  private Map<String, Optional<QueueTotals>> count(Map<String, List<String>> byNode) {
    Map<String, Future<Optional<QueueTotals>>> calls = new HashMap<>();
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      byNode.forEach(
          (node, spools) -> calls.put(node, executor.submit(() -> totals(node, spools))));
    }
    Map<String, Optional<QueueTotals>> counted = new TreeMap<>();
    calls.forEach((node, call) -> counted.put(node, call.resultNow()));
    return counted;
  }

  private Optional<QueueTotals> totals(String node, List<String> spools) {
    StringBuilder target = new StringBuilder("/api/queue/stats?");
    for (String spool : spools)
      target.append("spool=").append(URLEncoder.encode(spool, StandardCharsets.UTF_8)).append('&');
    return others
        .call(node, "GET", target.toString(), QUERY_TIMEOUT)
        .filter(NodeAnswer::isSuccess)
        .flatMap(answer -> answer.read(QueueTotals.class));
  }

  private static QueueTotals sum(List<QueueTotals> parts, @Nullable MissingPart missing) {
    long total = 0;
    long bytes = 0;
    long oldest = 0;
    Map<String, Long> byStatus = new TreeMap<>();
    for (QueueTotals part : parts) {
      total += part.total();
      bytes += part.bytes();
      oldest = Math.max(oldest, part.oldestAgeSeconds());
      part.byStatus().forEach((status, count) -> byStatus.merge(status, count, Long::sum));
    }
    return new QueueTotals(total, bytes, oldest, byStatus, missing);
  }

  /** The spools of the cluster with these names, and the nodes that hold them. */
  private NavigableMap<String, List<String>> spools(List<String> names) {
    NavigableMap<String, List<String>> all = new TreeMap<>(others.spools());
    for (String name : names) {
      if (!name.isEmpty() && !all.containsKey(name))
        throw new IllegalArgumentException("there is no spool " + name);
    }
    if (!names.isEmpty()) all.keySet().retainAll(names);
    return all;
  }

  /** The spools with a complete replica on this node. */
  private Set<String> here() {
    Set<String> here = new TreeSet<>();
    for (SpoolStatus spool : local.spools())
      if (!spool.role().equals(SpoolStatus.JOINING)) here.add(spool.name());
    return here;
  }

  /** The holders that may answer, those first that seem to be there. */
  static List<String> inOrder(OtherNodes others, List<String> holders, Collection<String> silent) {
    List<String> order = new ArrayList<>();
    for (boolean reachable : new boolean[] {true, false}) {
      for (String node : holders) {
        boolean canAnswer = !silent.contains(node) && !node.equals(others.self());
        if (canAnswer && others.isReachable(node) == reachable) order.add(node);
      }
    }
    return order;
  }

  private static @Nullable MissingPart missingPart(
      Collection<String> nodes, Collection<String> spools) {
    return nodes.isEmpty() && spools.isEmpty()
        ? null
        : new MissingPart(List.copyOf(nodes), List.copyOf(spools));
  }

  @Override
  public Optional<MessageTrace> trace(QueueId id) {
    return local.trace(id);
  }

  @Override
  public MailEventPage mailEvents(MailEventQuery query) {
    NavigableMap<String, List<String>> spools = spools(query.spools());
    return spools.isEmpty()
        ? local.mailEvents(query)
        : new ClusterTraces(local, others).events(query, spools, here());
  }

  @Override
  public TraceList traces(TraceQuery query) {
    NavigableMap<String, List<String>> spools = spools(query.spools());
    return spools.isEmpty()
        ? local.traces(query)
        : new ClusterTraces(local, others).find(query, spools, here());
  }

  @Override
  public Optional<QueuedMessage> message(QueueId id) {
    return local.message(id);
  }

  @Override
  public Optional<MessageText> text(QueueId id) {
    return local.text(id);
  }

  @Override
  public ChangeResult change(QueueId id, OperatorCommand command) {
    return local.change(id, command);
  }

  @Override
  public void processNow() {
    local.processNow();
  }

  @Override
  public Suspension suspend(String domain, Duration howLong, String reason, String author) {
    return local.suspend(domain, howLong, reason, author);
  }

  @Override
  public boolean resume(String domain) {
    return local.resume(domain);
  }

  @Override
  public List<Suspension> suspensions() {
    return local.suspensions();
  }

  @Override
  public Optional<CleanupResult> cleanUp() {
    return local.cleanUp();
  }

  @Override
  public List<SpoolStatus> spools() {
    return local.spools();
  }

  @Override
  public ClassifiedReply classify(String reply) {
    return local.classify(reply);
  }

  @Override
  public List<SpoolDigest> digests() {
    return local.digests();
  }
}
