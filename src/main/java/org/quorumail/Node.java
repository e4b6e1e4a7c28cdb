package org.quorumail;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.quorumail.api.Api;
import org.quorumail.api.ControlSocket;
import org.quorumail.api.HttpServer;
import org.quorumail.api.NodeView;
import org.quorumail.api.TokenFileException;
import org.quorumail.cluster.ClusterFault;
import org.quorumail.cluster.Formation;
import org.quorumail.cluster.NodeCard;
import org.quorumail.config.Config;
import org.quorumail.config.ConfigSources;
import org.quorumail.config.HostPort;
import org.quorumail.delivery.Deliveries;
import org.quorumail.dns.DnsResolver;
import org.quorumail.metrics.Metrics;
import org.quorumail.policy.LocalState;
import org.quorumail.queue.DeliveryQueue;
import org.quorumail.replication.RaftStartException;
import org.quorumail.smtp.server.ServerContext;
import org.quorumail.smtp.server.SmtpListener;
import org.quorumail.spool.Intake.Readiness;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The composition root: one node, wired from the bottom up, torn down from the top. {@link #run} is
 * the whole life of a node, in order.
 */
final class Node implements NodeView {
  private static final Logger log = LoggerFactory.getLogger(Node.class);

  /** Running transactions and attempts get this long to finish; then the node leaves anyway. */
  private static final Duration DRAIN_PATIENCE = Duration.ofSeconds(30);

  private static final Duration FIRST_ELECTION = Duration.ofSeconds(3);

  private final LiveConfig config;
  private final DnsResolver resolver;
  private final Metrics metrics = new Metrics();
  private final ProcessLoad processLoad = new ProcessLoad(ProcessLoad.SPAN);
  private final long startedNanos = System.nanoTime();
  private final long startedMillis = System.currentTimeMillis();
  private final CountDownLatch stopping = new CountDownLatch(1);
  private final CountDownLatch stopped = new CountDownLatch(1);
  private final AtomicBoolean draining = new AtomicBoolean();
  private volatile List<SmtpListener> listeners = List.of();
  private volatile @Nullable Groups groups;
  private volatile Vitals.@Nullable Parts parts;

  Node(Config config, ConfigSources sources) throws StartFailure {
    Clock clock = Clock.systemUTC();
    this.resolver = new DnsResolver(config.delivery().dns(), clock, metrics.registry());
    LocalState state = new LocalState(config.policy().rates().keys(), clock);
    PolicyRules rules = new PolicyRules(resolver, state, metrics.registry(), clock);
    this.config = LiveConfig.of(config, sources, rules);
  }

  /** Starts, serves until told to stop, drains, and leaves. */
  void run() throws StartFailure, InterruptedException {
    Thread hook = Thread.ofPlatform().name("shutdown").unstarted(this::stopAndWait);
    Runtime.getRuntime().addShutdownHook(hook);
    Signals.onHangup(this::reload);
    Signals.onTermination(this::shutdown);
    try {
      requireFreePorts(config.current());
      live(config.current());
    } finally {
      metrics.close();
      stopped.countDown(); // the shutdown hook waits for it, whatever happened
    }
  }

  private void live(Config c) throws StartFailure, InterruptedException {
    try (DataDirectory directory = DataDirectory.open(c.node().dataDirectory(), c.node().id());
        ClusterMember clusterMember =
            ClusterMember.start(c, directory, this::load, metrics.registry())) {
      config.onSecrets(clusterMember::useSecretsOf);
      QueueReport queueReport = new QueueReport(() -> Optional.ofNullable(groups));
      ClusterReport clusterReport =
          new ClusterReport(clusterMember, () -> Optional.ofNullable(groups), this);
      DnsReport dnsReport = DnsReport.open(config::current, directory.path());
      Api api = new Api(this, clusterReport, queueReport, dnsReport, metrics);
      ClusterWatch watch = new ClusterWatch(clusterReport, clusterMember, metrics.registry());
      config.onReload(watch::reloaded);
      Thread watching = Thread.ofVirtual().name("cluster-watch").start(watch);
      try (AutoCloseable http = http(api, c);
          ControlSocket control = ControlSocket.start(api, c.controlSocket())) {
        Optional<Formation> formation = clusterMember.awaitFormation(stopping);
        if (formation.isPresent()) {
          serve(directory, clusterMember, formation.get(), queueReport, dnsReport);
        }
      } finally {
        watching.interrupt();
      }
    } catch (ClusterFault e) {
      String sentence = String.valueOf(e.getMessage());
      throw e.configuration()
          ? StartFailure.ofConfiguration(sentence, e)
          : new StartFailure(sentence, e);
    } catch (TokenFileException e) {
      throw StartFailure.ofConfiguration(String.valueOf(e.getMessage()), e);
    } catch (RaftStartException | IOException e) {
      throw new StartFailure(String.valueOf(e.getMessage()), e);
    } catch (StartFailure | InterruptedException | RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException("a part of the node did not close", e);
    }
  }

  private void serve(
      DataDirectory directory,
      ClusterMember clusterMember,
      Formation formation,
      QueueReport queueReport,
      DnsReport dnsReport)
      throws RaftStartException, IOException, InterruptedException {
    Config c = config.current();
    Clock clock = Clock.systemUTC();
    dnsReport.use(resolver);
    Deliveries deliveries = new Deliveries(c, resolver, metrics.registry(), dnsReport.overridden());
    try (DeliveryQueue queue = new DeliveryQueue(c, deliveries, metrics.registry(), clock);
        Groups opened =
            Groups.open(
                c, directory, clusterMember, formation, metrics.registry(), queue, this::fatal)) {
      queueReport.use(queue);
      groups = opened;
      parts = new Vitals.Parts(opened, queue, resolver);
      Thread registering = Thread.ofVirtual().name("register").start(() -> register(opened));
      CertificateWatch certificates = CertificateWatch.start(config);
      Thread givingBack =
          Thread.ofVirtual().name("give-back").start(new GiveBack(opened, clusterMember, queue));
      try {
        awaitReadiness(opened);
        listeners = listen(opened, new QueueRuns(opened.spools(), queue));
        log.info(
            "node_started id={} groups={} version={}",
            directory.identity().nodeId(),
            opened.names(),
            version());
        stopping.await();
      } finally {
        certificates.close();
        givingBack.interrupt();
        registering.interrupt();
        leave(opened, clusterMember, queue);
      }
    }
  }

  /** A taken port is told before anything is opened, not after the groups have been. */
  private static void requireFreePorts(Config c) throws StartFailure {
    if (!c.roles().contains(Config.Role.RECEIVE)) return;
    for (Config.ListenerConfig listener : c.listeners()) {
      try (ServerSocket probe = new ServerSocket()) {
        probe.setReuseAddress(true);
        probe.bind(listener.socket());
      } catch (IOException e) {
        throw new StartFailure(
            "smtp.listeners: cannot listen on %s (%s); stop who does, or name another port"
                .formatted(text(listener.socket()), e.getMessage()),
            e);
      }
    }
  }

  private static String text(InetSocketAddress socket) {
    return new HostPort(socket.getAddress().getHostAddress(), socket.getPort()).toString();
  }

  /** The first election takes a moment; clients need not hear of it. */
  private void awaitReadiness(Groups opened) throws InterruptedException {
    long until = System.nanoTime() + FIRST_ELECTION.toNanos();
    while (opened.spools().readiness() == Readiness.NO_QUORUM && System.nanoTime() < until) {
      if (stopping.await(20, TimeUnit.MILLISECONDS)) return;
    }
  }

  private List<SmtpListener> listen(Groups opened, QueueRuns runs) throws IOException {
    List<SmtpListener> open = new ArrayList<>();
    if (!config.current().roles().contains(Config.Role.RECEIVE)) return open;
    List<Config.ListenerConfig> configured = config.current().listeners();
    try {
      for (int i = 0; i < configured.size(); i++) {
        int place = i;
        ServerContext context =
            new ServerContext(
                config.current().hostname(),
                opened.spools(),
                config::relayPolicy,
                config::rules,
                PolicyRules.scratch(config.current()),
                () -> config.tls(place),
                runs::start,
                config::authentication,
                metrics.registry(),
                Clock.systemUTC());
        open.add(SmtpListener.open(configured.get(i), context));
      }
      return List.copyOf(open);
    } catch (IOException e) {
      open.forEach(SmtpListener::close);
      throw e;
    }
  }

  /** Nothing new is accepted, what runs finishes, the spools go to others: no mail waits for us. */
  private void leave(Groups opened, ClusterMember clusterMember, DeliveryQueue queue)
      throws InterruptedException {
    draining.set(true);
    log.info("node_draining");
    opened.spools().drain();
    List<Thread> drains = new ArrayList<>();
    for (SmtpListener l : listeners) drains.add(Thread.ofVirtual().start(() -> drain(l)));
    boolean finished = queue.drain(DRAIN_PATIENCE);
    for (Thread t : drains) t.join();
    opened.handOver(clusterMember.membership());
    clusterMember.membership().leave();
    log.info("node_left deliveries_finished={}", finished);
  }

  private static void drain(SmtpListener listener) {
    try {
      listener.drain(DRAIN_PATIENCE);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void register(Groups opened) {
    try {
      opened.register(config.current().node().region());
    } catch (InterruptedException e) {
      log.debug("register_interrupted");
    }
  }

  private AutoCloseable http(Api api, Config c) throws IOException {
    return c.health().enabled() ? HttpServer.start(api, c) : () -> {};
  }

  /**
   * The log or the state of a group has failed. Going on could mean to say 250 for what is not on
   * disk, and closing in good order would write to the same disk: the process ends here and now.
   */
  private void fatal(Throwable cause) {
    String sentence = LastWords.of(cause);
    log.error("node_failed reason=\"{}\"", sentence);
    log.debug("node_failed", cause);
    if (config.current().log().file().isPresent()) System.err.println("quorumail: " + sentence);
    Runtime.getRuntime().halt(1);
  }

  private void stopAndWait() {
    shutdown();
    try {
      stopped.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private NodeCard.Load load() {
    Runtime runtime = Runtime.getRuntime();
    return new NodeCard.Load(
        version(),
        groups != null && !draining.get(),
        draining.get(),
        startedMillis,
        activeConnections(),
        messagesProcessed(),
        processLoad.cpu(),
        (runtime.totalMemory() - runtime.freeMemory()) >> 20);
  }

  int activeConnections() {
    return listeners.stream().mapToInt(SmtpListener::activeConnections).sum();
  }

  long messagesProcessed() {
    Groups g = groups;
    if (g == null) return 0;
    return g.spools().all().stream()
        .filter(s -> s.isHome())
        .mapToLong(s -> s.counters().accepted())
        .max()
        .orElse(0);
  }

  /** Bytes of entries that wait for their quorum, over all groups. */
  long pendingUpdates() {
    return (long)
        metrics.registry().find("raft.pending").gauges().stream().mapToDouble(g -> g.value()).sum();
  }

  long failedReplications() {
    var unanswered = metrics.registry().find("spool.unanswered").counter();
    return unanswered == null ? 0 : (long) unanswered.count();
  }

  double commitMillis() {
    var commit = metrics.registry().find("spool.commit").timer();
    return commit == null ? 0 : commit.mean(TimeUnit.MILLISECONDS);
  }

  boolean isDraining() {
    return draining.get();
  }

  // What the API asks

  @Override
  public String version() {
    String packaged = Node.class.getPackage().getImplementationVersion();
    return packaged == null ? "development" : packaged;
  }

  @Override
  public Duration uptime() {
    return Duration.ofNanos(System.nanoTime() - startedNanos);
  }

  @Override
  public Config config() {
    return config.current();
  }

  @Override
  public Health health() {
    return Vitals.of(config.current(), draining.get(), listeners, parts);
  }

  @Override
  public void shutdown() {
    stopping.countDown();
  }

  @Override
  public Reload reload() {
    return config.reload();
  }
}
