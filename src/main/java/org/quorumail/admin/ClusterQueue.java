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
import org.jspecify.annotations.Nullable;
import org.quorumail.api.NodeAnswer;
import org.quorumail.api.OtherNodes;
import org.quorumail.api.QueueView;
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
    NavigableMap<String, List<String>> spools = spools(query.spools());
    Set<String> here = here();
    if (here.containsAll(spools.keySet()) || QueueReport.isEndStatus(query.status()))
      return local.list(query);
    long until = System.nanoTime() + PAGE_TIME.toNanos();
    String begin = SpoolQueries.spoolOf(query.after());
    Search search = new Search(here);
    for (Map.Entry<String, List<String>> spool : spools.tailMap(begin, true).entrySet()) {
      String name = spool.getKey();
      int most = query.limit() - search.found.size();
      MessageQuery part = query.part(name, name.equals(begin) ? query.after() : "", most);
      String next = search.read(part, name, spool.getValue());
      boolean ends = search.found.size() >= query.limit() || System.nanoTime() - until > 0;
      boolean isLast = name.equals(spools.lastKey());
      if (next == null && ends && !isLast) next = SpoolQueries.cursorAfter(name);
      if (next != null) return search.page(next);
    }
    return search.page(null);
  }

  /** A page in the making. */
  private final class Search {
    final List<QueuedMessage> found = new ArrayList<>();
    private final Set<String> silent = new TreeSet<>();
    private final Set<String> missing = new TreeSet<>();
    private final Set<String> here;
    private @Nullable String note;

    Search(Set<String> here) {
      this.here = here;
    }

    /** Adds the messages of one spool; returns the cursor when the spool has more. */
    @Nullable String read(MessageQuery part, String spool, List<String> holders) {
      Optional<MessagePage> page =
          here.contains(spool) ? Optional.of(local.list(part)) : ask(part, holders);
      if (page.isEmpty()) {
        missing.add(spool);
        return null;
      }
      found.addAll(page.get().messages());
      note = page.get().note();
      return page.get().cursor();
    }

    private Optional<MessagePage> ask(MessageQuery part, List<String> holders) {
      for (String node : inOrder(holders, silent)) {
        Optional<MessagePage> page = askFor(part, node);
        if (page.isPresent()) return page;
        silent.add(node);
      }
      return Optional.empty();
    }

    MessagePage page(@Nullable String cursor) {
      return new MessagePage(found, cursor, note, missingPart(silent, missing));
    }
  }

  /** A page of another node, shorter when so many messages are too much for one answer. */
  private Optional<MessagePage> askFor(MessageQuery query, String node) {
    for (int limit = query.limit(); limit > 0; limit /= 4) {
      Optional<NodeAnswer> answer =
          others.call(node, "GET", target(query, limit), OtherNodes.QUERY_TIMEOUT);
      if (answer.isEmpty()) return Optional.empty();
      if (answer.get().isSuccess()) return answer.get().read(MessagePage.class);
      if (answer.get().status() != NodeAnswer.TOO_LONG) return Optional.empty();
    }
    return Optional.empty();
  }

  private static String target(MessageQuery query, int limit) {
    StringBuilder target = new StringBuilder("/api/queue?limit=").append(limit);
    query.spools().forEach(spool -> append(target, "spool", spool));
    append(target, "status", query.status());
    append(target, "domain", query.domain());
    append(target, "sender", query.sender());
    append(target, "cursor", query.after());
    if (query.minAgeMillis() > 0) append(target, "older_than", query.minAgeMillis() + "ms");
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
            inOrder(holders, silent).stream()
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
        .call(node, "GET", target.toString(), OtherNodes.QUERY_TIMEOUT)
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
  private List<String> inOrder(List<String> holders, Collection<String> silent) {
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
  public Optional<QueuedMessage> message(QueueId id) {
    return local.message(id);
  }

  @Override
  public Optional<MessageText> text(QueueId id) {
    return local.text(id);
  }

  @Override
  public ChangeResult retry(QueueId id) {
    return local.retry(id);
  }

  @Override
  public ChangeResult hold(QueueId id) {
    return local.hold(id);
  }

  @Override
  public ChangeResult release(QueueId id) {
    return local.release(id);
  }

  @Override
  public ChangeResult delete(QueueId id) {
    return local.delete(id);
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
