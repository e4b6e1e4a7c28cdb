package org.quorumail.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.MeterRegistry;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.api.ChangeRefusedException;
import org.quorumail.api.ClusterView;
import org.quorumail.api.DnsView;
import org.quorumail.api.NodeView.ReloadResult;
import org.quorumail.api.QueueView;
import org.quorumail.api.ReplicatedConfigView;
import org.quorumail.cluster.ClusterConfig;
import org.quorumail.cluster.ClusterEvent;
import org.quorumail.cluster.ClusterEventLog;
import org.quorumail.cluster.ClusterMap;
import org.quorumail.cluster.ConfigStatus;
import org.quorumail.config.HostPort;
import org.quorumail.delivery.DeliveryAgent;
import org.quorumail.delivery.FakeResolver;
import org.quorumail.delivery.MxOverrides;
import org.quorumail.delivery.Router;
import org.quorumail.dns.DnsResolver;
import org.quorumail.dsn.DsnComposer;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.OperatorCommand;
import org.quorumail.mail.ReversePath;
import org.quorumail.metrics.Metrics;
import org.quorumail.node.ClusterMember;
import org.quorumail.node.ClusterMonitor;
import org.quorumail.node.ClusterOrders;
import org.quorumail.node.Config;
import org.quorumail.node.ConfigReloader;
import org.quorumail.node.ConfigResult;
import org.quorumail.node.ConfigSources;
import org.quorumail.node.DataDirectory;
import org.quorumail.node.LiveConfig;
import org.quorumail.node.MetaFollower;
import org.quorumail.node.MxOverrideFile;
import org.quorumail.node.NodeState;
import org.quorumail.node.OrderTables;
import org.quorumail.node.PolicyFactory;
import org.quorumail.node.QueueRuns;
import org.quorumail.node.RaftGroups;
import org.quorumail.node.ReplicatedConfig;
import org.quorumail.node.ReplicatedConfigFollower;
import org.quorumail.node.SmtpListeners;
import org.quorumail.node.SpoolMoveEvents;
import org.quorumail.policy.LocalPolicyState;
import org.quorumail.queue.DeliveryQueue;
import org.quorumail.spool.Intake;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The reports and the reload of a stand-alone node that keeps its mail: it does not deliver. */
class ReportsTest {
  private static final Duration LONG = Duration.ofSeconds(30);

  @TempDir Path folder;
  private final Metrics metrics = new Metrics();
  private final MeterRegistry meters = metrics.registry();
  private final Clock clock = Clock.systemUTC();
  private NodeState state = new NodeState();
  private final List<AutoCloseable> open = new ArrayList<>();
  private Path file;
  private Config config;
  private ConfigSources sources;
  private LiveConfig live;
  private DataDirectory directory;
  private ClusterMember member;
  private MxOverrides overrides = new MxOverrides();
  private MxOverrideFile former;
  private ConfigReloader reloader;
  private ReplicatedConfigFollower follower;

  @BeforeEach
  void start() throws Exception {
    file = folder.resolve("quorumail.toml");
    write("");
    sources = new ConfigSources(Map.of(), Map.of(), Optional.of(file));
    ConfigResult.Valid read = (ConfigResult.Valid) sources.read();
    config = read.config();
    live = liveConfig(read);
    startMember();
  }

  private LiveConfig liveConfig(ConfigResult.Valid read) throws Exception {
    DnsResolver resolver = new DnsResolver(config.delivery().dns(), clock, meters);
    PolicyFactory factory =
        new PolicyFactory(resolver, new LocalPolicyState(1_000, clock), meters, clock);
    return LiveConfig.open(read, factory);
  }

  private void startMember() throws Exception {
    directory = DataDirectory.open(config.node().dataDirectory(), config.node().id());
    open.addFirst(directory);
    member = ClusterMember.start(config, directory, state::load, meters);
    open.addFirst(member);
    former = MxOverrideFile.open(directory.path());
    reloader = new ConfigReloader(sources, live, secrets -> {}, result -> {});
    follower = new ReplicatedConfigFollower(reloader, member::publishConfigStatus);
    open.addFirst(follower);
  }

  private void restart() throws Exception {
    for (AutoCloseable part : open) part.close();
    open.clear();
    state = new NodeState();
    overrides = new MxOverrides();
    live = liveConfig((ConfigResult.Valid) sources.read());
    startMember();
    open();
  }

  @AfterEach
  void stop() throws Exception {
    for (AutoCloseable part : open) part.close();
    metrics.close();
  }

  @Test
  void beforeTheFormationReportsAreEmptyAndTheNodeIsNotReady() {
    QueueReport queue = new QueueReport(state, orders(), clock);
    assertThat(queue.list(all()).messages()).isEmpty();
    assertThatThrownBy(() -> queue.suspend("example.org", Duration.ofMinutes(1), "", "x"))
        .isInstanceOf(ChangeRefusedException.class)
        .hasMessageContaining("not formed yet: nothing was changed");
    assertThat(queue.cleanUp()).isEmpty();
    ClusterReport cluster = new ClusterReport(member, state, () -> {});
    assertThat(cluster.status().state()).isEqualTo("Forming");
    assertThat(cluster.replication().spools()).isEmpty();
    var health = new HealthCheck(live, state, new FakeResolver()).check();
    assertThat(health.alive()).isTrue();
    assertThat(health.ready()).isFalse();
  }

  @Test
  void aQueuedMessageIsListedCountedHeldAndDeleted() throws Exception {
    RaftGroups groups = open();
    accept(groups);
    QueueReport queue = new QueueReport(state, orders(), clock);
    QueueView.QueuedMessage message = queue.list(all()).messages().getFirst();
    assertThat(message.sender()).isEqualTo("a@example.com");
    assertThat(message.recipients().getFirst().address()).isEqualTo("b@example.org");
    assertThat(queue.stats().total()).isEqualTo(1);
    assertThat(queue.stats().bytes()).isEqualTo(8);
    assertThat(queue.list(new QueueView.MessageQuery("", "example.net", "", 0, "", 10)).messages())
        .isEmpty();
    assertThat(queue.list(new QueueView.MessageQuery("no-status", "", "", 0, "", 10)).messages())
        .isEmpty();
    var id = org.quorumail.mail.QueueId.parse(message.id()).orElseThrow();
    queue.change(id, new OperatorCommand.Hold());
    assertThat(queue.message(id).orElseThrow().nextAttempt()).isNull();
    queue.change(id, new OperatorCommand.Delete());
    assertThat(queue.message(id)).isEmpty();
  }

  @Test
  void theTextOfAMessageIsItsHeaderAndTheBeginningOfItsBody() throws Exception {
    RaftGroups groups = open();
    accept(groups, "Subject: one\r\nX: y\r\n\r\nbody\r\n");
    accept(groups, "Subject: two\r\n\r\n" + "x".repeat(10_000));
    accept(groups, "X: " + "y".repeat(100_000));
    QueueReport queue = new QueueReport(state, orders(), clock);
    List<QueueView.MessageText> texts = new ArrayList<>();
    for (QueueView.QueuedMessage message : queue.list(all()).messages()) {
      var id = org.quorumail.mail.QueueId.parse(message.id()).orElseThrow();
      texts.add(queue.text(id).orElseThrow());
    }
    assertThat(texts)
        .anySatisfy(
            text -> {
              assertThat(text.header()).isEqualTo("Subject: one\r\nX: y\r\n");
              assertThat(text.body()).isEqualTo("body\r\n");
              assertThat(text.complete()).isTrue();
            })
        .anySatisfy(
            text -> {
              assertThat(text.header()).isEqualTo("Subject: two\r\n");
              assertThat(text.body()).hasSize(4_096);
              assertThat(text.complete()).isFalse();
            })
        .anySatisfy(
            text -> {
              assertThat(text.header()).hasSize(65_536);
              assertThat(text.body()).isEmpty();
              assertThat(text.complete()).isFalse();
            });
    assertThat(queue.text(org.quorumail.mail.QueueId.generate(java.time.Instant.now()))).isEmpty();
  }

  @Test
  void aStatusThatNoQueuedMessageHasIsExplained() {
    for (String status : List.of("failed", "completed", "expired", "in-progress")) {
      var query = new QueueView.MessageQuery(status, "", "", 0, "", 10);
      assertThat(new QueueReport(state, orders(), clock).list(query).note())
          .contains("queue stats");
    }
    assertThat(new QueueReport(state, orders(), clock).list(all()).note()).isNull();
  }

  @Test
  void theClusterOfOneIsHealthyAndLeadsItself() throws Exception {
    open();
    ClusterReport cluster = new ClusterReport(member, state, () -> {});
    String self = directory.identity().nodeId();
    await().atMost(LONG).until(() -> self.equals(cluster.status().leaderId()));
    assertThat(cluster.status().state()).isEqualTo("Healthy");
    assertThat(cluster.status().warning()).isNull();
    spoolMoves(self, "n9");
    assertThat(cluster.status().state()).isEqualTo("Rebalancing");
    spoolMoves(self, self);
    assertThat(cluster.status().state()).as("the spool has arrived").isEqualTo("Healthy");
    assertThat(cluster.replication().spools())
        .extracting(ClusterView.GroupStatus::name)
        .containsExactly("meta", "spool-" + self);
    assertThat(cluster.transferLeadership("meta", "").orElseThrow().reason())
        .contains("no other node is ready");
    assertThat(cluster.transferLeadership("spool-" + self, self).orElseThrow().reason())
        .isEqualTo(self + " leads spool-" + self + " already");
    assertThat(cluster.transferLeadership("spool-x", "")).isEmpty();
    state.draining();
    assertThat(cluster.status().state()).isEqualTo("ShuttingDown");
  }

  private void spoolMoves(String home, String to) {
    Map<String, String> details = Map.of("spool", "spool-" + home, "to", to);
    String now = java.time.Instant.now().toString();
    member.events().add(new ClusterEvent(now, "n9", SpoolMoveEvents.STARTED, details));
  }

  @Test
  void aNewLeaderIsReportedWithItsTerm() throws Exception {
    LeadingView view = new LeadingView(member.metadata().nodeId());
    ClusterMonitor monitor = new ClusterMonitor(view, member, meters);
    monitor.update();
    assertThat(leaderChanges()).as("the term is not known yet").isEmpty();
    view.term = 1;
    monitor.update();
    monitor.update();
    assertThat(leaderChanges())
        .singleElement()
        .satisfies(e -> assertThat(e.details()).containsEntry("term", "1"));
  }

  /** A cluster of one whose node leads in a term that the test sets. */
  private static final class LeadingView implements ClusterView {
    private final String self;
    private long term;

    LeadingView(String self) {
      this.self = self;
    }

    @Override
    public ClusterStatus status() {
      LocalNode local = new LocalNode(self, "leader", "healthy", 1);
      return new ClusterStatus(1, 1, 0, self, "Healthy", term, local, null);
    }

    @Override
    public List<ClusterNode> nodes() {
      return List.of();
    }

    @Override
    public ReplicationStats replication() {
      return new ReplicationStats(0, 0, 0, List.of());
    }

    @Override
    public RemovalResult removeNode(String id) {
      return new RemovalResult(false, id, "not in this test");
    }

    @Override
    public DepartureResult leave() {
      return new DepartureResult(false, "n1", "not in this test");
    }

    @Override
    public ReplacementResult replaceNode(String formerId, String replacementId) {
      return new ReplacementResult(false, formerId, replacementId, "not in this test");
    }

    @Override
    public Optional<ElectionResult> transferLeadership(String group, String successor) {
      throw new UnsupportedOperationException();
    }

    @Override
    public ClusterEventLog events() {
      throw new UnsupportedOperationException();
    }
  }

  private List<ClusterEvent> leaderChanges() throws InterruptedException {
    return member.events().after(0, Duration.ZERO).stream()
        .map(ClusterEventLog.NumberedEvent::event)
        .filter(e -> e.type().equals("LeaderChanged"))
        .toList();
  }

  @Test
  void healthFollowsTheQueueAndTheDrain() throws Exception {
    RaftGroups groups = open();
    accept(groups);
    HealthCheck check = new HealthCheck(live, state, new FakeResolver());
    assertThat(check.check().spoolReady()).isTrue();
    assertThat(check.check().smtpReady()).as("no listener is open").isFalse();
    assertThat(check.check().queueSize()).isEqualTo(1);
    state.draining();
    assertThat(check.check().draining()).isTrue();
    assertThat(check.check().ready()).isFalse();
  }

  private ClusterOrders orders() {
    return new ClusterOrders(member, state);
  }

  @Test
  void suspensionsAndOverridesOutliveARestart() throws Exception {
    open();
    QueueReport queue = new QueueReport(state, orders(), clock);
    DnsReport dns = dns();
    queue.suspend("Paused.Test", Duration.ofHours(2), "full disk", "user:root");
    queue.suspend("brief.test", Duration.ofMillis(1), "", "user:root");
    dns.set("Example.ORG", "relay.example.net", "token:x");
    dns.set("other.test", "relay.example.net:2525", "token:x");
    assertThatThrownBy(() -> dns.set("example.org", "no host", "token:x"))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(dns.find("example.org", "relay.example.net:25")).isPresent();
    assertThat(dns.find("example.org", "relay.example.net:2525")).isEmpty();

    restart();
    DeliveryQueue deliveries = state.queue().orElseThrow();
    assertThat(deliveries.isSuspended("paused.test")).as("from the first moment on").isTrue();
    assertThat(deliveries.isSuspended("brief.test")).isFalse();
    assertThat(overrides.find("example.org")).contains(new HostPort("relay.example.net", 25));
    QueueReport queueAgain = new QueueReport(state, orders(), clock);
    assertThat(queueAgain.suspensions())
        .singleElement()
        .satisfies(
            s -> {
              assertThat(s.domain()).isEqualTo("paused.test");
              assertThat(s.secondsLeft()).isBetween(7_100L, 7_200L);
              assertThat(s.reason()).isEqualTo("full disk");
              assertThat(s.author()).isEqualTo("user:root");
            });
    assertThat(dns().overrides())
        .extracting(DnsView.MxOverride::host)
        .containsExactly("relay.example.net:25", "relay.example.net:2525");
    assertThat(queueAgain.resume("PAUSED.test")).isTrue();
    assertThat(queueAgain.resume("paused.test")).isFalse();
    assertThat(deliveries.isSuspended("paused.test")).isFalse();
    assertThat(dns().remove("example.org")).isPresent();
    assertThat(dns().remove("example.org")).isEmpty();
    assertThat(overrides.all()).containsOnlyKeys("other.test");
  }

  @Test
  void theOverridesOfAnOlderReleaseAreGivenToTheClusterOnce() throws Exception {
    Path old = directory.path().resolve("mx-overrides");
    Files.writeString(old, "a.test relay.example.net:25\nb.test relay.example.net:25\n");
    former = MxOverrideFile.open(directory.path());
    open();
    assertThat(overrides.all()).as("before they are given").containsOnlyKeys("a.test", "b.test");
    dns().set("a.test", "newer.example.net", "user:root");
    former.giveTo(orders(), "n1", clock);
    assertThat(old).doesNotExist();
    assertThat(dns().overrides())
        .extracting(DnsView.MxOverride::host, DnsView.MxOverride::author)
        .containsExactly(
            tuple("newer.example.net:25", "user:root"), tuple("relay.example.net:25", "node:n1"));
    dns().remove("b.test");
    assertThat(overrides.all()).containsOnlyKeys("a.test");
    former.giveTo(orders(), "n1", clock);
    assertThat(overrides.all()).containsOnlyKeys("a.test");
  }

  @Test
  void theWayOfAnAddressNamesTheSettingThatDecides() throws Exception {
    write(
        """
        [[route]]
        domain = "box.test"
        to = ["maildir:/var/mail/{user}"]
        [[route]]
        domain = "*"
        to = ["lmtp+unix:/run/l.sock?priority=5", "smtp://192.0.2.7:26"]
        [delivery.domains."gate.test"]
        mx_override = "192.0.2.8"
        """);
    restart();
    DnsReport dns = dns();
    dns.set("moved.test", "192.0.2.9:25", "token:x");
    assertThat(dns.route("a@box.test").source()).isEqualTo("route[0]");
    assertThat(dns.route("a@box.test").hops()).containsExactly("maildir:/var/mail/{user}");
    assertThat(dns.route("a@other.test").source()).isEqualTo("route[1]");
    assertThat(dns.route("a@other.test").hops())
        .containsExactly("/run/l.sock", "192.0.2.7[192.0.2.7]:26");
    assertThat(dns.route("A@Gate.test").source()).isEqualTo("delivery.domains");
    assertThat(dns.route("a@moved.test").source()).isEqualTo("override");
    assertThat(dns.route("a@moved.test").hops()).containsExactly("192.0.2.9[192.0.2.9]:25");
    assertThatThrownBy(() -> dns.route("no address")).isInstanceOf(IllegalArgumentException.class);
  }

  private DnsReport dns() {
    return new DnsReport(new FakeResolver(), overrides, orders(), live, clock);
  }

  @Test
  void aReloadChangesThePolicyNamesTheRestAndKeepsTheOldOnFaults() throws Exception {
    List<ClusterConfig> secrets = new ArrayList<>();
    List<ReloadResult> reloads = new ArrayList<>();
    ConfigReloader reloader = new ConfigReloader(sources, live, secrets::add, reloads::add);
    write("hostname = \"other.example.org\"\n[relay]\ndomains = [\"example.org\"]\n");
    ReloadResult result = reloader.reload();
    assertThat(result.changed()).containsExactly("relay.domains");
    assertThat(result.needRestart()).containsExactly("hostname");
    assertThat(live.current().relay().domains()).containsExactly("example.org");
    assertThat(live.current().hostname()).isNotEqualTo("other.example.org");
    write("[relay]\ndomains = 5\n");
    assertThat(reloader.reload().problems()).isNotEmpty();
    assertThat(live.current().relay().domains()).containsExactly("example.org");
    assertThat(reloads).as("only the one that took effect").containsExactly(result);
    assertThat(secrets).isEmpty();
  }

  @Test
  void aReloadChangesTheLevelOfTheLog() throws Exception {
    var root = (ch.qos.logback.classic.Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);
    var before = root.getLevel();
    ConfigReloader reloader = new ConfigReloader(sources, live, secrets -> {}, result -> {});
    try {
      write("[log]\nlevel = \"error\"\n");
      ReloadResult result = reloader.reload();
      assertThat(result.changed()).containsExactly("log.level");
      assertThat(result.needRestart()).isEmpty();
      assertThat(root.getLevel()).isEqualTo(ch.qos.logback.classic.Level.ERROR);
      write("[log]\nlevel = \"error\"\nformat = \"json\"\n");
      assertThat(reloader.reload().needRestart()).containsExactly("log.format");
    } finally {
      root.setLevel(before);
    }
  }

  @Test
  void aReloadNamesTheKeysWhoseValuesOrFilesChangedAndNoOther() throws Exception {
    Path known = folder.resolve("known");
    Path denied = folder.resolve("denied");
    Files.writeString(known, "a@example.org\n");
    Files.writeString(denied, "192.0.2.1\n");
    String files =
        "[relay]\nrecipients = \"%s\"\n[policy.lists]\ndeny_clients = [\"file:%s\"]\n"
            .formatted(known, denied);
    ConfigReloader reloader = new ConfigReloader(sources, live, secrets -> {}, result -> {});
    write(files);
    ReloadResult first = reloader.reload();
    assertThat(first.problems()).isEmpty();
    assertThat(first.changed())
        .containsExactlyInAnyOrder("relay.recipients", "policy.lists.deny_clients");
    ReloadResult unchanged = reloader.reload();
    assertThat(unchanged.changed()).isEmpty();
    assertThat(unchanged.needRestart()).isEmpty();
    Files.writeString(denied, "192.0.2.2\n");
    assertThat(reloader.reload().changed()).containsExactly("policy.lists.deny_clients");
    write(files + "[[route]]\ndomain = \"example.org\"\nto = [\"discard\"]\n");
    ReloadResult route = reloader.reload();
    assertThat(route.changed()).containsExactly("route");
    assertThat(route.needRestart()).isEmpty();
    write(files + "[delivery]\nmax_concurrent_deliveries = 7\nmax_attempts = 3\n");
    ReloadResult delivery = reloader.reload();
    assertThat(delivery.changed()).containsExactly("route", "delivery.max_attempts");
    assertThat(delivery.needRestart()).containsExactly("delivery.max_concurrent_deliveries");
    assertThat(reloader.reload().needRestart())
        .as("it still needs the restart")
        .containsExactly("delivery.max_concurrent_deliveries");
  }

  @Test
  void routesAndTheRetryScheduleOfTheClusterReachTheDelivery() throws Exception {
    List<Config> given = new ArrayList<>();
    open();
    reloader.addPart(given::add);
    assertThat(given).hasSize(1);
    String shared =
        "[[route]]\ndomain = \"example.org\"\nto = [\"discard\"]\n[delivery]\nmax_attempts = 3\n";
    config().set(shared, "", "user:root", OptionalLong.empty());
    await().atMost(LONG).until(() -> running().version() == 1);
    assertThat(given.getLast().routes()).hasSize(1);
    assertThat(given.getLast().delivery().maxAttempts()).isEqualTo(3);
    assertThat(config().problems("[delivery]\nmax_concurrent_deliveries = 7\n"))
        .singleElement()
        .asString()
        .startsWith("configuration:2: delivery.max_concurrent_deliveries: cannot be");
    assertThat(
            config()
                .problems(
                    """
                    [[route]]
                    to = ["mx"]
                    [[route.login]]
                    username = "u"
                    password_file = "p"
                    """))
        .anySatisfy(p -> assertThat(p).contains("password_file: names a file"));
  }

  /** The rules are those of {@code promtool check metrics}. */
  @Test
  void everyMetricHasAHelpTextAUnitAndBucketsFromTheFirstScrape() throws Exception {
    RaftGroups groups = open();
    QueueRuns runs = new QueueRuns(groups.spools(), state.queue().orElseThrow());
    SmtpListeners listeners =
        SmtpListeners.open(live, groups.spools(), runs, domain -> Optional.empty(), meters);
    open.addFirst(() -> listeners.drain(Duration.ZERO).forEach(ReportsTest::join));
    new ClusterMonitor(new ClusterReport(member, state, () -> {}), member, meters).update();
    List<String> faults = new ArrayList<>();
    Map<String, String> help = new HashMap<>();
    String page = metrics.scrape(Set.of());
    for (String line : page.lines().toList()) {
      String[] words = line.split(" ", 4);
      if (line.startsWith("# HELP ")) help.put(words[2], words.length > 3 ? words[3].strip() : "");
      if (!line.startsWith("# TYPE ")) continue;
      String name = words[2];
      String type = words[3];
      if (help.getOrDefault(name, "").isEmpty()) faults.add(name + " has no help text");
      if (type.equals("summary")) faults.add(name + " has no buckets");
      if (type.equals("counter") != name.endsWith("_total")) faults.add(name + " " + type);
      if (name.matches(".*_(ns|ms|s|sec|kb|mb|min|milliseconds|minutes|hours)(_.*)?"))
        faults.add(name + " has another unit than seconds or bytes");
      if (name.matches(".*(duration|latency|_age)")
          || (type.equals("gauge") && name.endsWith("_count")))
        faults.add(name + " has a wrong suffix");
    }
    assertThat(faults).isEmpty();
    assertThat(page)
        .contains(
            "smtp_errors_total{code=\"451\"} 0.0",
            "smtp_auth_attempts_total{mechanism=\"none\",result=\"success\"} 0.0",
            "smtp_policy_refusals_total{filter=\"relay\",verdict=\"reject\"} 0.0",
            "dns_lookups_total{result=\"failure\",type=\"mx\"} 0.0",
            "dns_errors_total{type=\"mx\"} 0.0",
            "process_cpu_seconds_total",
            "system_cpus");
  }

  private static void join(Thread thread) {
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void write(String more) throws Exception {
    Files.writeString(
        file,
        "roles = [\"receive\"]\nsmtp.listeners = [{ socket = \"127.0.0.1:0\" }]\nnode.data_directory = \"%s\"\n%s"
            .formatted(folder.resolve("data"), more));
  }

  private ConfigReport config() {
    return new ConfigReport(member, new ReplicatedConfig(member, state, reloader, clock));
  }

  private ReplicatedConfigView.NodeVersion running() {
    return config().nodeVersions().getFirst();
  }

  @Test
  void aVersionOfTheClusterIsInForceAtOnceAndAfterARestart() throws Exception {
    open();
    ConfigReport report = config();
    assertThat(report.document(OptionalLong.empty())).isEmpty();
    String first = "[relay]\ndomains = [\"one.test\"]\n[policy.tarpit]\nafter_errors = 7\n";
    assertThat(report.problems(first)).isEmpty();
    assertThat(report.set(first, "one", "user:root", OptionalLong.of(0)).version()).isEqualTo(1);
    await().atMost(LONG).until(() -> running().version() == 1);
    assertThat(live.current().relay().domains()).containsExactly("one.test");
    assertThat(live.current().policy().tarpit().afterErrors()).isEqualTo(7);
    String second = "[relay]\ndomains = [\"two.test\"]\n";
    assertThatThrownBy(() -> report.set(second, "", "user:root", OptionalLong.of(0)))
        .isInstanceOf(ChangeRefusedException.class)
        .hasMessageContaining("version 1, not 0");
    report.set(second, "", "user:root", OptionalLong.of(1));
    await().atMost(LONG).until(() -> running().version() == 2);
    assertThat(live.current().relay().domains()).containsExactly("two.test");
    assertThat(live.current().policy().tarpit().afterErrors()).as("the default").isEqualTo(3);

    restart();
    await().atMost(LONG).until(() -> running().version() == 2);
    assertThat(live.current().relay().domains()).containsExactly("two.test");
    assertThat(config().history())
        .extracting(ReplicatedConfigView.Version::version)
        .containsExactly(1L, 2L);
    assertThat(config().document(OptionalLong.of(1)).orElseThrow().toml()).isEqualTo(first);
    assertThat(reloader.reload().problems()).isEmpty();
    assertThat(live.current().relay().domains()).as("a reload keeps it").contains("two.test");
  }

  @Test
  void theFileOfTheNodeIsStrongerAndTheStatusNamesItsKeys() throws Exception {
    write("[relay]\ndomains = [\"own.test\"]\n");
    assertThat(reloader.reload().problems()).isEmpty();
    open();
    String shared = "[relay]\ndomains = [\"one.test\"]\nnetworks = [\"192.0.2.0/24\"]\n";
    config().set(shared, "", "user:root", OptionalLong.empty());
    await().atMost(LONG).until(() -> running().version() == 1);
    assertThat(live.current().relay().domains()).containsExactly("own.test");
    assertThat(live.current().relay().networks()).hasSize(1);
    assertThat(running().overridden()).containsExactly("relay.domains");
    assertThat(running().problem()).isEmpty();
    write("");
    reloader.reload();
    assertThat(live.current().relay().domains()).containsExactly("one.test");
    assertThat(reloader.status().overridden()).isEmpty();
  }

  @Test
  void aNodeThatCannotUseAVersionKeepsTheOneBeforeAndSaysWhy() throws Exception {
    open();
    config().set("[policy.greylist]\ndelay = \"1m\"\n", "", "user:root", OptionalLong.empty());
    await().atMost(LONG).until(() -> running().version() == 1);
    write("[policy.greylist]\ndelay_secs = 90\n");
    config().set("[policy.greylist]\ndelay = \"2m\"\n", "", "user:root", OptionalLong.empty());
    await().atMost(LONG).until(() -> !running().problem().isEmpty());
    assertThat(running().version()).isEqualTo(1);
    assertThat(running().problem()).startsWith("version 2: ").contains("delay_secs");
    assertThat(live.current().policy().greylist().delay()).isEqualTo(Duration.ofMinutes(1));
    write("");
    assertThat(reloader.reload().problems()).isEmpty();
    assertThat(reloader.status()).isEqualTo(new ConfigStatus(2, "", List.of()));
    assertThat(live.current().policy().greylist().delay()).isEqualTo(Duration.ofMinutes(2));
  }

  private RaftGroups open() throws Exception {
    ClusterMap map = member.awaitFormation(new CountDownLatch(1)).orElseThrow();
    FakeResolver resolver = new FakeResolver();
    Router router = new Router(config.routes(), config.delivery(), overrides);
    DeliveryAgent agent =
        new DeliveryAgent(config.hostname(), config.delivery(), router, resolver, meters);
    DsnComposer dsns = new DsnComposer(config.hostname(), config.delivery().dsn());
    DeliveryQueue queue = DeliveryQueue.start(agent, config.delivery(), dsns, false, meters, clock);
    open.addFirst(queue);
    RaftGroups groups =
        RaftGroups.open(
            config,
            directory,
            member,
            map,
            meters,
            queue,
            new MetaFollower(new OrderTables(overrides, queue, former), follower),
            e -> {});
    open.addFirst(groups);
    state.opened(groups, queue);
    await().atMost(LONG).until(() -> groups.spools().readiness() == Intake.Readiness.READY);
    return groups;
  }

  private static void accept(RaftGroups groups) throws Exception {
    accept(groups, "A: b\r\n\r\n");
  }

  private static void accept(RaftGroups groups, String text) throws Exception {
    byte[] content = text.getBytes(StandardCharsets.US_ASCII);
    Envelope envelope =
        new Envelope(
            new ReversePath.Mailbox(new MailAddress("a", "example.com")),
            List.of(new MailAddress("b", "example.org")),
            BodyType.SEVEN_BIT);
    try (Intake.MessageWriter writer = groups.spools().newMessage()) {
      writer.write(content, 0, content.length);
      assertThat(writer.commit(envelope)).isInstanceOf(Intake.CommitResult.Accepted.class);
    }
  }

  private static QueueView.MessageQuery all() {
    return new QueueView.MessageQuery("", "", "", 0, "", 10);
  }
}
