package org.quorumail.api;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.quorumail.cluster.ClusterEventLog;
import org.quorumail.mail.OperatorCommand;
import org.quorumail.mail.QueueId;
import org.quorumail.node.Config;

/** A node with one spool in memory. */
public class FakeNode implements NodeView, ClusterView, QueueView, DnsView, ReplicatedConfigView {
  public final QueueId first = QueueId.generate(Instant.ofEpochSecond(1_000));
  public final QueueId second = QueueId.generate(Instant.ofEpochSecond(2_000));
  public final Map<QueueId, String> statuses = new TreeMap<>();
  public volatile boolean alive = true;
  public volatile boolean spoolReady = true;
  public volatile boolean quorum = true;
  public volatile boolean clockSteady = true;
  public volatile boolean stopped;
  public volatile boolean broken;
  public volatile int unhealthyNodes;
  public volatile @Nullable MissingPart missing;

  private final Config config;
  private final ClusterEventLog events = new ClusterEventLog();

  public FakeNode(Path data, Map<String, String> overrides) {
    this.config = Config.standalone(data, overrides);
    statuses.put(first, "retry");
    statuses.put(second, "pending");
  }

  @Override
  public ClusterEventLog events() {
    return events;
  }

  public List<String> reloadProblems = List.of();

  @Override
  public String version() {
    return "1.2.3";
  }

  @Override
  public Duration uptime() {
    return Duration.ofSeconds(90);
  }

  @Override
  public Config config() {
    return config;
  }

  @Override
  public NodeHealth health() {
    if (broken) throw new IllegalStateException("/secret/path is broken");
    return new NodeHealth(
        alive,
        stopped,
        maintenance != null,
        true,
        spoolReady,
        true,
        true,
        quorum,
        statuses.size(),
        10_000,
        clockSteady,
        groupsBehind);
  }

  /** The groups whose replica of the node has not caught up. */
  public volatile List<String> groupsBehind = List.of();

  /** The present maintenance; null without one. */
  public volatile @Nullable MaintenanceOrder maintenance;

  /** The reason for which the node refuses maintenance; empty when it does not. */
  public volatile String maintenanceRefusal = "";

  /** Deliveries that the node still makes in maintenance; one ends with each question. */
  public final AtomicInteger deliveries = new AtomicInteger();

  @Override
  public MaintenanceStatus maintenance() {
    MaintenanceOrder order = maintenance;
    int left = deliveries.getAndUpdate(n -> Math.max(0, n - 1));
    if (order == null)
      return new MaintenanceStatus(
          "n1", "active", null, null, 0, true, List.of(), 1, left, 0, List.of("meta"), List.of());
    return new MaintenanceStatus(
        "n1",
        left > 0 ? "draining" : "maintenance",
        order.reason(),
        "2026-11-21T00:00:00Z",
        order.drainTimeout().toSeconds(),
        order.migrate(),
        order.targets(),
        0,
        left,
        0,
        List.of(),
        left > 0 ? List.of("deliveries: " + left) : List.of());
  }

  @Override
  public MaintenanceResult enterMaintenance(MaintenanceOrder order) {
    if (maintenanceRefusal.isEmpty()) maintenance = order;
    return new MaintenanceResult(maintenance(), maintenanceRefusal);
  }

  @Override
  public MaintenanceStatus exitMaintenance() {
    maintenance = null;
    return maintenance();
  }

  @Override
  public boolean isAlive() {
    return alive;
  }

  @Override
  public void shutdown() {
    stopped = true;
  }

  @Override
  public ReloadResult reload() {
    return reloadProblems.isEmpty()
        ? new ReloadResult(List.of("log.level"), List.of("node.id"), List.of())
        : new ReloadResult(List.of(), List.of(), reloadProblems);
  }

  @Override
  public ClusterStatus status() {
    return new ClusterStatus(
        1 + unhealthyNodes,
        1,
        unhealthyNodes,
        "n1",
        "Healthy",
        3,
        new LocalNode("n1", "leader", "healthy", 90),
        null);
  }

  @Override
  public List<ClusterNode> nodes() {
    return List.of(
        new ClusterNode(
            "n1",
            "127.0.0.1",
            7946,
            "leader",
            "healthy",
            "default",
            "default",
            "2026-11-21T00:00:00Z",
            new NodeMetadata("1.2.3", 90, 2, 17, 0.5, 64),
            null));
  }

  @Override
  public ReplicationStats replication() {
    return new ReplicationStats(
        0, 0, 1.5, List.of(new GroupStatus("meta", "leader", "n1", 3, 42, 1)));
  }

  @Override
  public MessagePage list(MessageQuery filter) {
    filters.add(filter.filter());
    List<QueuedMessage> found = new ArrayList<>();
    for (Map.Entry<QueueId, String> e : statuses.entrySet()) {
      boolean after = e.getKey().toString().compareTo(filter.after()) > 0;
      boolean wanted =
          filter.filter().status().isEmpty() || filter.filter().status().equals(e.getValue());
      if (after && wanted) found.add(message(e.getKey(), e.getValue()));
    }
    if (found.size() <= filter.limit()) return new MessagePage(found, null, null, missing);
    List<QueuedMessage> page = found.subList(0, filter.limit());
    return new MessagePage(page, page.getLast().id(), null, missing);
  }

  @Override
  public Optional<QueuedMessage> message(QueueId id) {
    return Optional.ofNullable(statuses.get(id)).map(status -> message(id, status));
  }

  @Override
  public Optional<MessageText> text(QueueId id) {
    return Optional.ofNullable(statuses.get(id))
        .map(
            status ->
                new MessageText(
                    id.toString(), "Subject: a \u001b[2J test\r\n", "line\r\n".repeat(20), true));
  }

  private static QueuedMessage message(QueueId id, String status) {
    return new QueuedMessage(
        id.toString(),
        status,
        "sender@example.org",
        id.arrived().toString(),
        4096,
        "spool-n1",
        1,
        null,
        null,
        List.of(
            new QueuedRecipient("done@example.net", "delivered", 1, null, "250 2.0.0 Ok", null),
            new QueuedRecipient(
                "you@example.net", "pending", 1, null, "451 4.3.0 later", "remote-system"),
            new QueuedRecipient("two@example.net", "pending", 1, null, null, null),
            new QueuedRecipient("three@example.net", "pending", 1, null, null, null),
            new QueuedRecipient("four@example.net", "pending", 1, null, null, null)));
  }

  @Override
  public QueueTotals stats(List<String> spools) {
    Map<String, Long> counts = new TreeMap<>();
    statuses.values().forEach(status -> counts.merge(status, 1L, Long::sum));
    return new QueueTotals(statuses.size(), 8192, 60, counts, missing);
  }

  @Override
  public Optional<MessageTrace> trace(QueueId id) {
    if (!statuses.containsKey(id)) return Optional.empty();
    Map<String, Object> accepted = new LinkedHashMap<>();
    accepted.put("id", "spool-n1:4711.0");
    accepted.put("time", "2026-11-21T00:00:00Z");
    accepted.put("type", "accepted");
    accepted.put("queue_id", id.toString());
    accepted.put("sender", "ada@example.org");
    accepted.put("recipients", List.of("bob@example.net"));
    accepted.put("client", "192.0.2.7");
    var recipient =
        new RecipientTrace("bob@example.net", "queued", "2026-11-21T00:00:00Z", 0, null, null);
    return Optional.of(
        new MessageTrace(
            id.toString(),
            "spool-n1",
            "ada@example.org",
            "<4711@example.org>",
            List.of(recipient),
            List.of(accepted)));
  }

  /** The types of the events of mail; each is at its index in the one spool. */
  public final List<String> mailEvents = new CopyOnWriteArrayList<>();

  @Override
  public MailEventPage mailEvents(MailEventQuery query) {
    Optional<String> known = query.after().in("spool-n1");
    int size = mailEvents.size();
    int from =
        known.isPresent()
            ? Integer.parseInt(known.get().substring(0, known.get().indexOf('.')))
            : query.since().isZero() ? size : 0;
    int to = Math.min(size, from + query.limit());
    List<Map<String, Object>> found = new ArrayList<>();
    for (int i = from; i < to; i++)
      found.add(Map.of("id", "spool-n1:" + (i + 1) + ".0", "type", mailEvents.get(i)));
    return new MailEventPage("spool-n1:" + to + ".0", found, missing);
  }

  @Override
  public TraceList traces(TraceQuery query) {
    boolean matches = query.value().equals("bob@example.net");
    return new TraceList(
        statuses.keySet().stream()
            .filter(id -> matches)
            .flatMap(id -> trace(id).stream())
            .limit(query.limit())
            .toList(),
        missing);
  }

  @Override
  public ChangeResult change(QueueId id, OperatorCommand command) {
    commands.add(command);
    return switch (command) {
      case OperatorCommand.Retry retry ->
          "held".equals(statuses.get(id)) && !retry.releases()
              ? ChangeResult.HELD
              : change(id, "pending");
      case OperatorCommand.Hold hold -> change(id, "held");
      case OperatorCommand.Release release -> change(id, "pending");
      case OperatorCommand.Bounce bounce -> {
        ChangeResult change = change(id, "");
        if (change == ChangeResult.DONE) statuses.remove(id);
        yield change;
      }
      case OperatorCommand.Delete delete -> {
        ChangeResult change = change(id, "");
        if (change == ChangeResult.DONE) statuses.remove(id);
        yield change;
      }
    };
  }

  /** The commands that were given, in their order. */
  public final List<OperatorCommand> commands = new ArrayList<>();

  /** The filters that were used, in their order. */
  public final List<QueueCriteria> filters = new ArrayList<>();

  @Override
  public ChangedMessages change(MessageQuery query, OperatorCommand command) {
    requireQuorum();
    MessagePage page = list(query);
    List<String> changed = new ArrayList<>();
    int skipped = 0;
    for (QueuedMessage message : page.messages()) {
      ChangeResult result = change(QueueId.parse(message.id()).orElseThrow(), command);
      if (result == ChangeResult.DONE) changed.add(message.id());
      if (result == ChangeResult.HELD) skipped++;
    }
    return new ChangedMessages(
        changed, skipped, skipped > 0 ? IS_HELD : null, page.cursor(), missing);
  }

  @Override
  public QueueBreakdown breakdown(String by, int limit, List<String> spools) {
    var row =
        new QueueBreakdown.BreakdownRow(
            "example.net", 2, 8192, 7200, List.of(1L, 0L, 0L, 1L, 0L, 0L, 0L));
    return new QueueBreakdown(by, QueueBreakdown.AGES, List.of(row), 3, true, missing);
  }

  @Override
  public MessageCount count(MessageQuery query) {
    MessagePage page = list(query);
    return new MessageCount(page.messages().size(), page.cursor(), missing);
  }

  private ChangeResult change(QueueId id, String status) {
    if (!quorum) return ChangeResult.NO_QUORUM;
    return statuses.replace(id, status) == null ? ChangeResult.NOT_FOUND : ChangeResult.DONE;
  }

  @Override
  public void processNow() {}

  /** The overrides; nodes of a cluster share them. */
  public Map<String, String> hosts = new TreeMap<>();

  /** The suspensions; nodes of a cluster share them. */
  public Map<String, Suspension> suspended = new TreeMap<>();

  @Override
  public Suspension suspend(String domain, Duration howLong, String reason, String author) {
    requireQuorum();
    Suspension suspension = suspension(domain, howLong, reason, author);
    suspended.put(domain, suspension);
    return suspension;
  }

  public static Suspension suspension(
      String domain, Duration howLong, String reason, String author) {
    return new Suspension(domain, howLong.toSeconds(), "2026-11-21T02:00:00Z", reason, author);
  }

  private void requireQuorum() {
    if (!quorum) throw ChangeRefusedException.noQuorum("no leader: nothing was changed");
  }

  @Override
  public boolean resume(String domain) {
    requireQuorum();
    return suspended.remove(domain) != null;
  }

  @Override
  public List<Suspension> suspensions() {
    return List.copyOf(suspended.values());
  }

  @Override
  public ClassifiedReply classify(String reply) {
    return new ClassifiedReply("bad-mailbox", "certain-mailbox", "none", reply);
  }

  @Override
  public Optional<CleanupResult> cleanUp() {
    return Optional.of(new CleanupResult(17, 8192, 4096));
  }

  @Override
  public RemovalResult removeNode(String id) {
    return id.equals("n2")
        ? new RemovalResult(true, id, "")
        : new RemovalResult(false, id, "no member is called " + id);
  }

  @Override
  public DepartureResult leave() {
    return quorum
        ? new DepartureResult(true, "n1", "")
        : new DepartureResult(false, "n1", "the spool of n1 has no majority");
  }

  @Override
  public ReplacementResult replaceNode(String formerId, String replacementId) {
    return formerId.equals("n2")
        ? new ReplacementResult(true, formerId, replacementId, "")
        : new ReplacementResult(false, formerId, replacementId, "no member is called " + formerId);
  }

  @Override
  public Optional<ElectionResult> transferLeadership(String group, String successor) {
    if (!leads.contains(group)) return Optional.empty();
    String leader = successor.isEmpty() ? "n2" : successor;
    return Optional.of(
        quorum
            ? new ElectionResult(group, true, leader, "")
            : new ElectionResult(group, false, null, "no other node"));
  }

  /** The groups that this node leads. */
  public volatile List<String> leads = List.of("meta");

  @Override
  public List<CacheEntry> cache() {
    return List.of(new CacheEntry("example.org", "MX", "found", List.of("10 mx.example.org."), 60));
  }

  @Override
  public int clearCache() {
    return 1;
  }

  @Override
  public RefreshResult refresh(String domain) {
    return new RefreshResult(domain, List.of("mx." + domain), "");
  }

  @Override
  public RouteAnswer route(String address) {
    String domain = address.substring(address.indexOf('@') + 1);
    boolean known = !domain.equals("nowhere.test");
    return new RouteAnswer(
        address,
        "mx",
        "mx:" + domain,
        known ? List.of("mx." + domain + "[192.0.2.25]:25") : List.of(),
        known ? "" : "the domain " + domain + " does not exist");
  }

  @Override
  public List<MxOverride> overrides() {
    return hosts.entrySet().stream().map(e -> operators(e.getKey(), e.getValue())).toList();
  }

  @Override
  public Optional<MxOverride> find(String domain, String host) {
    return Optional.ofNullable(hosts.get(domain))
        .filter(host::equals)
        .map(h -> operators(domain, h));
  }

  @Override
  public MxOverride set(String domain, String host, String author) {
    requireQuorum();
    hosts.put(domain, host);
    return operators(domain, host);
  }

  @Override
  public Optional<MxOverride> remove(String domain) {
    requireQuorum();
    return Optional.ofNullable(hosts.remove(domain)).map(host -> operators(domain, host));
  }

  private static MxOverride operators(String domain, String host) {
    return new MxOverride(domain, host, "operator", "user:root");
  }

  private final List<Document> documents = new ArrayList<>();

  @Override
  public List<Version> history() {
    return documents.stream().map(FakeNode::version).toList();
  }

  private static Version version(Document d) {
    return new Version(d.version(), d.time(), d.author(), d.comment());
  }

  @Override
  public Optional<Document> document(OptionalLong version) {
    if (version.isEmpty())
      return documents.isEmpty() ? Optional.empty() : Optional.of(documents.getLast());
    return documents.stream().filter(d -> d.version() == version.getAsLong()).findFirst();
  }

  @Override
  public List<String> problems(String toml) {
    return toml.contains("bad") ? List.of("configuration:1: bad: unknown key") : List.of();
  }

  @Override
  public Version set(String toml, String comment, String author, OptionalLong base) {
    requireQuorum();
    if (base.isPresent() && base.getAsLong() != documents.size())
      throw ChangeRefusedException.conflict("the cluster has another version");
    String time = "2026-11-21T00:00:00Z";
    documents.add(new Document(documents.size() + 1, time, author, comment, toml));
    return version(documents.getLast());
  }

  @Override
  public List<NodeVersion> nodeVersions() {
    return List.of(new NodeVersion("n1", documents.size(), "", List.of("relay.domains")));
  }

  @Override
  public List<SpoolStatus> spools() {
    return List.of(new SpoolStatus("spool-n1", "leader", "n1", 3, 42, true, 2, 8192, 0));
  }

  @Override
  public List<SpoolDigest> digests() {
    return List.of(new SpoolDigest("spool-n1", 3, 42, "ab".repeat(32)));
  }
}
