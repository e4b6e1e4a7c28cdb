package org.quorumail.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.api.FakeCluster;
import org.quorumail.api.FakeNode;
import org.quorumail.api.MailCursor;
import org.quorumail.api.QueueCriteria;
import org.quorumail.api.QueueView;
import org.quorumail.api.QueueView.MessagePage;
import org.quorumail.api.QueueView.MessageQuery;
import org.quorumail.api.QueueView.MissingPart;
import org.quorumail.api.QueueView.QueueTotals;
import org.quorumail.api.QueueView.QueuedMessage;
import org.quorumail.api.TraceView.MailEventPage;
import org.quorumail.api.TraceView.MailEventQuery;
import org.quorumail.api.TraceView.MessageTrace;
import org.quorumail.api.TraceView.TraceList;
import org.quorumail.api.TraceView.TraceQuery;
import org.quorumail.mail.OperatorCommand;
import org.quorumail.mail.QueueId;
import org.quorumail.spool.SpoolQueries;

/** Five nodes, and five spools with three replicas each. */
class ClusterQueueTest {
  private static final int NODES = 5;

  @TempDir Path folder;
  private final FakeCluster cluster = new FakeCluster();
  private final Map<String, Replicas> nodes = new TreeMap<>();
  private long accepted;

  @BeforeEach
  void start() {
    for (int i = 1; i <= NODES; i++) {
      Replicas node = new Replicas(folder);
      nodes.put("node-" + i, node);
      cluster.add("node-" + i, node);
    }
    for (int i = 1; i <= NODES; i++) {
      List<String> holders = new ArrayList<>();
      for (int replica = 0; replica < 3; replica++)
        holders.add("node-" + ((i - 1 + replica) % NODES + 1));
      cluster.spools.put("spool-node-" + i, holders);
      for (String holder : holders) node(holder).spools.put("spool-node-" + i, new TreeMap<>());
    }
  }

  private Replicas node(String id) {
    return Objects.requireNonNull(nodes.get(id));
  }

  private ClusterQueue queue(String self) {
    return new ClusterQueue(node(self), cluster.from(self));
  }

  /** Puts a message into all replicas of a spool. */
  private String accept(int spool) {
    String name = "spool-node-" + spool;
    String id = QueueId.generate(Instant.ofEpochSecond(++accepted)).toString();
    QueuedMessage message =
        new QueuedMessage(id, "retry", "a@b.test", "", 10, name, 1, null, null, List.of());
    for (String holder : Objects.requireNonNull(cluster.spools.get(name)))
      Objects.requireNonNull(node(holder).spools.get(name)).put(id, message);
    return id;
  }

  private static MessageQuery query(String after, int limit) {
    return new MessageQuery("", "", "", 0, after, limit);
  }

  /** The ids on all pages, in order. */
  private static List<String> ids(QueueView queue, int limit) {
    List<String> ids = new ArrayList<>();
    String after = "";
    do {
      MessagePage page = queue.list(query(after, limit));
      assertThat(page.messages()).hasSizeLessThanOrEqualTo(limit);
      page.messages().forEach(m -> ids.add(m.id()));
      after = page.cursor() == null ? "" : page.cursor();
    } while (!after.isEmpty());
    return ids;
  }

  @Test
  void everyNodeListsEveryMessageOnceWhateverThePage() {
    List<String> all = new ArrayList<>();
    for (int spool = 1; spool <= NODES; spool++) for (int i = 0; i < 7; i++) all.add(accept(spool));
    for (String self : nodes.keySet())
      for (int limit : List.of(1, 3, 7, 8, 100)) assertThat(ids(queue(self), limit)).isEqualTo(all);
    assertThat(queue("node-1").list(query("", 100)).missing()).isNull();
  }

  @Test
  void everyNodeFindsEachMessageOnceTheNewestFirstAlsoWhenNodesAreDead() {
    List<String> all = new ArrayList<>();
    for (int spool = 1; spool <= NODES; spool++) all.add(accept(spool));
    Collections.reverse(all);
    TraceQuery query = new TraceQuery("sender", "a@b.test", 100, List.of());
    for (String self : nodes.keySet()) {
      TraceList found = queue(self).traces(query);
      assertThat(found.messages().stream().map(MessageTrace::id).toList()).isEqualTo(all);
      assertThat(found.missing()).isNull();
    }
    cluster.silent.addAll(List.of("node-3", "node-4"));
    TraceList found = queue("node-1").traces(query);
    assertThat(found.messages().stream().map(MessageTrace::id).toList()).isEqualTo(all);
    cluster.silent.add("node-5");
    found = queue("node-1").traces(query);
    assertThat(found.messages()).hasSize(4);
    assertThat(Objects.requireNonNull(found.missing()).spools()).containsExactly("spool-node-3");
    assertThat(
            queue("node-1").traces(new TraceQuery("sender", "a@b.test", 2, List.of())).messages())
        .hasSize(2);
  }

  @Test
  void everyNodeReadsTheEventsOfEachSpoolOnceAndGoesOnBehindThem() {
    nodes.values().forEach(node -> node.mailEvents.add("accepted"));
    MailEventQuery query = new MailEventQuery(MailCursor.NONE, Duration.ofHours(1), 100, List.of());
    cluster.silent.add("node-3");
    MailEventPage page = queue("node-1").mailEvents(query);
    assertThat(page.events().stream().map(e -> String.valueOf(e.get("spool"))))
        .containsExactlyInAnyOrderElementsOf(cluster.spools.keySet());
    assertThat(Objects.requireNonNull(page.missing()).spools()).isEmpty();
    MailEventQuery next = query.after(MailCursor.parse(page.cursor()));
    assertThat(queue("node-1").mailEvents(next).events()).isEmpty();
  }

  @Test
  void oneReplicaThatAnswersIsEnough() {
    List<String> all = new ArrayList<>();
    for (int spool = 1; spool <= NODES; spool++) all.add(accept(spool));
    cluster.silent.addAll(List.of("node-3", "node-4")); // node-1 has spools 4, 5 and 1
    MessagePage page = queue("node-1").list(query("", 100));
    assertThat(page.messages().stream().map(QueuedMessage::id).toList()).isEqualTo(all);
    assertThat(page.missing()).isEqualTo(new MissingPart(List.of("node-3", "node-4"), List.of()));
  }

  @Test
  void aSpoolWithoutAnyReplicaThatAnswersIsNamedAndTheOthersAreListed() {
    List<String> all = new ArrayList<>();
    for (int spool = 1; spool <= NODES; spool++) all.add(accept(spool));
    cluster.silent.addAll(List.of("node-3", "node-4", "node-5"));
    ClusterQueue queue = queue("node-1");
    MessagePage page = queue.list(query("", 100));
    all.remove(2);
    assertThat(page.messages().stream().map(QueuedMessage::id).toList()).isEqualTo(all);
    assertThat(page.missing())
        .isEqualTo(new MissingPart(List.of("node-3", "node-4", "node-5"), List.of("spool-node-3")));
    assertThat(cluster.calls).as("a silent node is asked once").hasSize(4);
    assertThat(ids(queue, 1)).isEqualTo(all);
    QueueTotals totals = queue.stats();
    assertThat(totals.total()).isEqualTo(4);
    assertThat(Objects.requireNonNull(totals.missing()).spools()).containsExactly("spool-node-3");
  }

  @Test
  void messagesAreListedOnceWhileNodesComeAndGo() {
    List<String> all = new ArrayList<>();
    for (int spool = 1; spool <= NODES; spool++) for (int i = 0; i < 5; i++) all.add(accept(spool));
    List<String> seen = new ArrayList<>();
    String after = "";
    int page = 0;
    do {
      cluster.silent.clear();
      cluster.silent.add("node-" + (page++ % NODES + 1));
      MessagePage next = queue(page % 2 == 0 ? "node-1" : "node-2").list(query(after, 2));
      next.messages().forEach(m -> seen.add(m.id()));
      after = next.cursor() == null ? "" : next.cursor();
    } while (!after.isEmpty());
    assertThat(seen).isEqualTo(all);
  }

  @Test
  void aNodeThatDoesNotHaveTheSpoolYetIsNotTakenForAnEmptyOne() {
    String id = accept(2);
    node("node-2").spools.remove("spool-node-2");
    MessagePage page = queue("node-5").list(query("", 10));
    assertThat(page.messages()).hasSize(1).allMatch(m -> m.id().equals(id));
    assertThat(queue("node-5").stats().total()).isEqualTo(1);
  }

  @Test
  void aReplicaThatIsNotCompleteIsNotRead() {
    List<String> all = new ArrayList<>();
    for (int spool = 1; spool <= NODES; spool++) all.add(accept(spool));
    Replicas joining = node("node-5");
    joining.joining = "spool-node-4"; // node-4 has it, too
    Objects.requireNonNull(joining.spools.get("spool-node-4")).clear();
    assertThat(ids(queue("node-5"), 100)).isEqualTo(all);
    assertThat(queue("node-5").stats().total()).isEqualTo(5);
  }

  @Test
  void aPageThatIsTooLongForACallIsReadInParts() {
    for (int i = 0; i < 200; i++) accept(2);
    cluster.longest = 2_000;
    assertThat(ids(queue("node-5"), 150)).hasSize(200).doesNotHaveDuplicates();
  }

  @Test
  void eachSpoolIsCountedOnceAndEachNodeForWhatItDoes() {
    for (int spool = 1; spool <= NODES; spool++) for (int i = 0; i < spool; i++) accept(spool);
    nodes.values().forEach(n -> n.running = 2);
    for (String self : nodes.keySet()) {
      QueueTotals totals = queue(self).stats();
      assertThat(totals.total()).as(self).isEqualTo(15);
      assertThat(totals.bytes()).isEqualTo(150);
      assertThat(totals.byStatus()).containsEntry("retry", 15L).containsEntry("in-progress", 10L);
      assertThat(totals.missing()).isNull();
    }
    cluster.silent.addAll(List.of("node-2", "node-3"));
    QueueTotals totals = queue("node-5").stats();
    assertThat(totals.total()).isEqualTo(15);
    assertThat(totals.byStatus()).containsEntry("in-progress", 6L);
    assertThat(totals.missing()).isEqualTo(new MissingPart(List.of("node-2", "node-3"), List.of()));
  }

  @Test
  void spoolsAreSelectedByTheirNames() {
    accept(1);
    String second = accept(2);
    ClusterQueue queue = queue("node-5");
    MessageQuery one = query("", 10).part("spool-node-2", "", 10);
    assertThat(queue.list(one).messages()).hasSize(1).allMatch(m -> m.id().equals(second));
    assertThat(queue.stats(List.of("spool-node-2")).total()).isEqualTo(1);
    assertThatThrownBy(() -> queue.stats(List.of("spool-node-9")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("spool-node-9");
    assertThatThrownBy(() -> queue.list(query("not.a.cursor", 10)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void messagesOfAllSpoolsAreCountedAndChangedOnce() {
    for (int spool = 1; spool <= NODES; spool++) for (int i = 0; i < 3; i++) accept(spool);
    for (int limit : List.of(2, 100)) {
      long count = 0;
      String after = "";
      do {
        QueueView.MessageCount part = queue("node-1").count(query(after, limit));
        count += part.messages();
        after = part.cursor() == null ? "" : part.cursor();
      } while (!after.isEmpty());
      assertThat(count).isEqualTo(3L * NODES);
    }
    List<String> changed = new ArrayList<>();
    String after = "";
    do {
      MessageQuery some =
          new MessageQuery(
              new QueueCriteria("retry", "", "", "", 0, 0, 0, "", ""), after, 4, List.of());
      QueueView.ChangedMessages part = queue("node-2").change(some, new OperatorCommand.Delete());
      changed.addAll(part.ids());
      after = part.cursor() == null ? "" : part.cursor();
    } while (!after.isEmpty());
    assertThat(changed).hasSize(3 * NODES).doesNotHaveDuplicates();
    assertThat(cluster.calls).anyMatch(call -> call.contains("DELETE /api/queue?"));
  }

  /** A node of an older release would list all messages for a criterion that it does not know. */
  @Test
  void aNewCriterionIsSentToAPathThatOlderNodesDoNotHave() {
    for (int spool = 1; spool <= NODES; spool++) accept(spool);
    QueueCriteria filter = new QueueCriteria("", "", "", "", 0, 0, 0, "full", "");
    queue("node-1").list(new MessageQuery(filter, "", 10, List.of()));
    assertThat(cluster.calls)
        .isNotEmpty()
        .allMatch(call -> call.contains("/api/queue/search?") && call.contains("error=full"));
  }

  @Test
  void aNodeThatHasAllSpoolsAsksNobodyForAList() {
    for (int spool = 1; spool <= NODES; spool++) {
      cluster.spools.computeIfPresent("spool-node-" + spool, (name, holders) -> List.of("node-1"));
      node("node-1").spools.putIfAbsent("spool-node-" + spool, new TreeMap<>());
      accept(spool);
    }
    assertThat(ids(queue("node-1"), 2)).hasSize(5);
    assertThat(cluster.calls).isEmpty();
  }

  /** The replicas of one node. */
  private static final class Replicas extends FakeNode {
    final TreeMap<String, TreeMap<String, QueuedMessage>> spools = new TreeMap<>();
    volatile long running;
    volatile String joining = "";

    Replicas(Path data) {
      super(data, Map.of());
    }

    private NavigableMap<String, NavigableMap<String, QueuedMessage>> selected(List<String> names) {
      NavigableMap<String, NavigableMap<String, QueuedMessage>> selected = new TreeMap<>(spools);
      for (String name : names) {
        if (!name.isEmpty() && !spools.containsKey(name))
          throw new IllegalArgumentException("this node has no replica of " + name);
      }
      if (!names.isEmpty()) selected.keySet().retainAll(names);
      return selected;
    }

    @Override
    public List<SpoolStatus> spools() {
      return spools.keySet().stream()
          .map(
              name ->
                  new SpoolStatus(
                      name,
                      name.equals(joining) ? SpoolStatus.JOINING : "follower",
                      null,
                      1,
                      1,
                      false,
                      0,
                      0,
                      0))
          .toList();
    }

    /** Each spool has the same events. */
    @Override
    public MailEventPage mailEvents(MailEventQuery query) {
      TreeMap<String, String> cursor = new TreeMap<>(query.after().positions());
      List<Map<String, Object>> found = new ArrayList<>();
      for (String spool : selected(query.spools()).keySet()) {
        boolean isNew = query.after().in(spool).isEmpty();
        if (isNew) for (String type : mailEvents) found.add(Map.of("spool", spool, "type", type));
        cursor.put(spool, mailEvents.size() + ".0");
      }
      return new MailEventPage(new MailCursor(cursor).toString(), found, null);
    }

    @Override
    public TraceList traces(TraceQuery query) {
      List<MessageTrace> found = new ArrayList<>();
      selected(query.spools())
          .forEach(
              (spool, messages) ->
                  messages
                      .keySet()
                      .forEach(
                          id ->
                              found.add(
                                  new MessageTrace(
                                      id, spool, query.value(), null, List.of(), List.of()))));
      return new TraceList(found.stream().limit(query.limit()).toList(), null);
    }

    @Override
    public MessagePage list(MessageQuery query) {
      String spool = SpoolQueries.spoolOf(query.after());
      String last = query.after().substring(query.after().indexOf('.') + 1);
      String after = new String(Base64.getUrlDecoder().decode(last), StandardCharsets.UTF_8);
      List<QueuedMessage> found = new ArrayList<>();
      for (var replica : selected(query.spools()).tailMap(spool, true).entrySet()) {
        String from = replica.getKey().equals(spool) ? after : "";
        for (QueuedMessage message : replica.getValue().tailMap(from, false).values()) {
          if (found.size() == query.limit()) {
            String end = found.getLast().id();
            return new MessagePage(found, cursor(found.getLast().spool(), end));
          }
          found.add(message);
        }
      }
      return new MessagePage(found, null);
    }

    @Override
    public ChangedMessages change(MessageQuery query, OperatorCommand command) {
      MessagePage page = list(query);
      List<String> ids = page.messages().stream().map(QueuedMessage::id).toList();
      return new ChangedMessages(ids, 0, null, page.cursor(), null);
    }

    private static String cursor(String spool, String id) {
      Base64.Encoder encoder = Base64.getUrlEncoder().withoutPadding();
      return encoder.encodeToString(spool.getBytes(StandardCharsets.UTF_8))
          + "."
          + encoder.encodeToString(id.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public QueueTotals stats(List<String> names) {
      long count = selected(names).values().stream().mapToLong(Map::size).sum();
      return new QueueTotals(count, 10 * count, 7, Map.of("retry", count, "in-progress", running));
    }

    @Override
    public Optional<QueuedMessage> message(QueueId id) {
      return spools.values().stream()
          .flatMap(s -> Optional.ofNullable(s.get(id.toString())).stream())
          .findFirst();
    }
  }
}
