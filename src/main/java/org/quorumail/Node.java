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
import org.quorumail.admin.ClusterReport;
import org.quorumail.admin.DnsReport;
import org.quorumail.admin.HealthCheck;
import org.quorumail.admin.QueueReport;
import org.quorumail.api.Api;
import org.quorumail.api.ControlSocket;
import org.quorumail.api.HttpServer;
import org.quorumail.api.NodeView;
import org.quorumail.api.TokenFileException;
import org.quorumail.cluster.ClusterStartException;
import org.quorumail.cluster.Formation;
import org.quorumail.cluster.MemberMetadata;
import org.quorumail.config.HostPort;
import org.quorumail.delivery.DeliveryAgent;
import org.quorumail.delivery.Router;
import org.quorumail.dns.DnsResolver;
import org.quorumail.dsn.DsnComposer;
import org.quorumail.metrics.Metrics;
import org.quorumail.node.CertificateWatcher;
import org.quorumail.node.ClusterMember;
import org.quorumail.node.ClusterMonitor;
import org.quorumail.node.Config;
import org.quorumail.node.ConfigSources;
import org.quorumail.node.DataDirectory;
import org.quorumail.node.FatalMessage;
import org.quorumail.node.LiveConfig;
import org.quorumail.node.NodeStartException;
import org.quorumail.node.PolicyFactory;
import org.quorumail.node.ProcessCpuUsage;
import org.quorumail.node.QueueRuns;
import org.quorumail.node.RaftGroups;
import org.quorumail.node.SignalHandlers;
import org.quorumail.node.SpoolRebalancer;
import org.quorumail.policy.LocalPolicyState;
import org.quorumail.queue.DeliveryQueue;
import org.quorumail.replication.RaftStartException;
import org.quorumail.smtp.server.ListenerConfig;
import org.quorumail.smtp.server.ServerContext;
import org.quorumail.smtp.server.SmtpListener;
import org.quorumail.spool.Intake.Readiness;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The composition root: one node, wired from the bottom up, torn down from the top. {@link #run} is
 * the whole life of a node, in order.
 */
public final class Node implements NodeView {
  private static final Logger LOG = LoggerFactory.getLogger(Node.class);

  /** Running transactions and attempts get this long to finish; then the node leaves anyway. */
  private static final Duration DRAIN_TIMEOUT = Duration.ofSeconds(30);

  private static final Duration FIRST_ELECTION_TIMEOUT = Duration.ofSeconds(3);

  private final LiveConfig config;
  private final DnsResolver resolver;
  private final Metrics metrics = new Metrics();
  private final ProcessCpuUsage processLoad = new ProcessCpuUsage(ProcessCpuUsage.MIN_INTERVAL);
  private final long startedNanos = System.nanoTime();
  private final long startedMillis = System.currentTimeMillis();
  private final CountDownLatch stopping = new CountDownLatch(1);
  private final CountDownLatch stopped = new CountDownLatch(1);
  private final AtomicBoolean draining = new AtomicBoolean();
  private volatile List<SmtpListener> listeners = List.of();
  private volatile @Nullable RaftGroups groups;
  private volatile HealthCheck.@Nullable Parts parts;

  Node(Config config, ConfigSources sources) throws NodeStartException {
    Clock clock = Clock.systemUTC();
    this.resolver = new DnsResolver(config.delivery().dns(), clock, metrics.registry());
    LocalPolicyState state = new LocalPolicyState(config.policy().rates().keys(), clock);
    PolicyFactory rules = new PolicyFactory(resolver, state, metrics.registry(), clock);
    this.config = LiveConfig.of(config, sources, rules);
  }

  /** Starts, serves until told to stop, drains, and leaves. */
  void run() throws NodeStartException, InterruptedException {
    Thread hook = Thread.ofPlatform().name("shutdown").unstarted(this::stopAndWait);
    Runtime.getRuntime().addShutdownHook(hook);
    SignalHandlers.onHangup(this::reload);
    SignalHandlers.onTermination(this::shutdown);
    try {
      requireFreePorts(config.current());
      live(config.current());
    } finally {
      metrics.close();
      stopped.countDown(); // the shutdown hook waits for it, whatever happened
    }
  }

  private void live(Config c) throws NodeStartException, InterruptedException {
    try (DataDirectory directory = DataDirectory.open(c.node().dataDirectory(), c.node().id());
        ClusterMember clusterMember =
            ClusterMember.start(c, directory, this::load, metrics.registry())) {
      config.onSecrets(clusterMember::replaceSecrets);
      QueueReport queueReport = new QueueReport(() -> Optional.ofNullable(groups));
      ClusterReport clusterReport =
          new ClusterReport(clusterMember, () -> Optional.ofNullable(groups), this);
      DnsReport dnsReport = DnsReport.open(config::current, directory.path());
      Optional<Metrics> exposed = c.metrics().enabled() ? Optional.of(metrics) : Optional.empty();
      Api api = new Api(this, clusterReport, queueReport, dnsReport, exposed);
      ClusterMonitor watch = new ClusterMonitor(clusterReport, clusterMember, metrics.registry());
      config.onReload(watch::publishReload);
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
    } catch (ClusterStartException e) {
      String sentence = String.valueOf(e.getMessage());
      throw e.configuration()
          ? NodeStartException.ofConfiguration(sentence, e)
          : new NodeStartException(sentence, e);
    } catch (TokenFileException e) {
      throw NodeStartException.ofConfiguration(String.valueOf(e.getMessage()), e);
    } catch (RaftStartException | IOException e) {
      throw new NodeStartException(String.valueOf(e.getMessage()), e);
    } catch (NodeStartException | InterruptedException | RuntimeException e) {
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
    Router router = new Router(c.routes(), c.delivery(), dnsReport.table());
    DeliveryAgent agent =
        new DeliveryAgent(c.hostname(), c.delivery(), router, resolver, metrics.registry());
    DsnComposer dsns = new DsnComposer(c.hostname(), c.delivery().dsn());
    boolean delivers = c.roles().contains(Config.Role.DELIVER);
    try (DeliveryQueue queue =
            DeliveryQueue.start(agent, c.delivery(), dsns, delivers, metrics.registry(), clock);
        RaftGroups opened =
            RaftGroups.open(
                c, directory, clusterMember, formation, metrics.registry(), queue, this::fatal)) {
      queueReport.use(queue);
      groups = opened;
      parts = new HealthCheck.Parts(opened, queue, resolver);
      Thread registering = Thread.ofVirtual().name("register").start(() -> register(opened));
      CertificateWatcher certificates = CertificateWatcher.start(config);
      Thread givingBack =
          Thread.ofVirtual()
              .name("give-back")
              .start(new SpoolRebalancer(opened, clusterMember, queue));
      try {
        awaitReadiness(opened);
        listeners = listen(opened, new QueueRuns(opened.spools(), queue));
        LOG.info(
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
  private static void requireFreePorts(Config c) throws NodeStartException {
    if (!c.roles().contains(Config.Role.RECEIVE)) return;
    for (ListenerConfig listener : c.listeners()) {
      try (ServerSocket probe = new ServerSocket()) {
        probe.setReuseAddress(true);
        probe.bind(listener.socket());
      } catch (IOException e) {
        throw new NodeStartException(
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
  private void awaitReadiness(RaftGroups opened) throws InterruptedException {
    long until = System.nanoTime() + FIRST_ELECTION_TIMEOUT.toNanos();
    while (opened.spools().readiness() == Readiness.NO_QUORUM && System.nanoTime() < until) {
      if (stopping.await(20, TimeUnit.MILLISECONDS)) return;
    }
  }

  private List<SmtpListener> listen(RaftGroups opened, QueueRuns runs) throws IOException {
    List<SmtpListener> open = new ArrayList<>();
    if (!config.current().roles().contains(Config.Role.RECEIVE)) return open;
    List<ListenerConfig> configured = config.current().listeners();
    try {
      for (int i = 0; i < configured.size(); i++) {
        int place = i;
        ServerContext context =
            new ServerContext(
                config.current().hostname(),
                opened.spools(),
                config::relayPolicy,
                config::rules,
                PolicyFactory.scratchDirectory(config.current()),
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
  private void leave(RaftGroups opened, ClusterMember clusterMember, DeliveryQueue queue)
      throws InterruptedException {
    draining.set(true);
    LOG.info("node_draining");
    opened.spools().drain();
    List<Thread> drains = new ArrayList<>();
    for (SmtpListener l : listeners) drains.add(Thread.ofVirtual().start(() -> drain(l)));
    boolean finished = queue.drain(DRAIN_TIMEOUT);
    for (Thread t : drains) t.join();
    opened.transferAll(clusterMember.membership());
    clusterMember.membership().leave();
    LOG.info("node_left deliveries_finished={}", finished);
  }

  private static void drain(SmtpListener listener) {
    try {
      listener.drain(DRAIN_TIMEOUT);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void register(RaftGroups opened) {
    try {
      opened.register(config.current().node().region());
    } catch (InterruptedException e) {
      LOG.debug("register_interrupted");
    }
  }

  private AutoCloseable http(Api api, Config c) throws IOException {
    return c.health().enabled() ? HttpServer.start(api, c.health(), c.api()) : () -> {};
  }

  /**
   * The log or the state of a group has failed. Going on could mean to say 250 for what is not on
   * disk, and closing in good order would write to the same disk: the process ends here and now.
   */
  private void fatal(Throwable cause) {
    String sentence = FatalMessage.of(cause);
    LOG.error("node_failed reason=\"{}\"", sentence);
    LOG.debug("node_failed", cause);
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

  private MemberMetadata.NodeLoad load() {
    Runtime runtime = Runtime.getRuntime();
    return new MemberMetadata.NodeLoad(
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
    RaftGroups g = groups;
    if (g == null) return 0;
    return g.spools().all().stream()
        .filter(s -> s.isHome())
        .mapToLong(s -> s.counters().accepted())
        .max()
        .orElse(0);
  }

  /** Bytes of entries that wait for their quorum, over all groups. */
  public long pendingUpdates() {
    return (long)
        metrics.registry().find("raft.pending").gauges().stream().mapToDouble(g -> g.value()).sum();
  }

  public long failedReplications() {
    var unanswered = metrics.registry().find("spool.unanswered").counter();
    return unanswered == null ? 0 : (long) unanswered.count();
  }

  public double commitMillis() {
    var commit = metrics.registry().find("spool.commit").timer();
    return commit == null ? 0 : commit.mean(TimeUnit.MILLISECONDS);
  }

  public boolean isDraining() {
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
  public NodeHealth health() {
    return HealthCheck.of(config.current(), draining.get(), listeners, parts);
  }

  @Override
  public void shutdown() {
    stopping.countDown();
  }

  @Override
  public ReloadResult reload() {
    return config.reload();
  }
}
