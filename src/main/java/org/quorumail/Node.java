package org.quorumail;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.quorumail.admin.ClusterCalls;
import org.quorumail.admin.ClusterQueue;
import org.quorumail.admin.ClusterReport;
import org.quorumail.admin.ConfigReport;
import org.quorumail.admin.DnsReport;
import org.quorumail.admin.HealthCheck;
import org.quorumail.admin.NodeReport;
import org.quorumail.admin.QueueReport;
import org.quorumail.api.Api;
import org.quorumail.api.ControlSocket;
import org.quorumail.api.HttpServer;
import org.quorumail.api.InternalApi;
import org.quorumail.api.OtherNodes;
import org.quorumail.api.TokenFileException;
import org.quorumail.cluster.ClusterMap;
import org.quorumail.cluster.ClusterStartException;
import org.quorumail.cluster.ConfigHistory;
import org.quorumail.cluster.ConfigVersion;
import org.quorumail.cluster.FeatureSupport;
import org.quorumail.cluster.MemberMetadata;
import org.quorumail.cluster.Placement;
import org.quorumail.delivery.DeliveryAgent;
import org.quorumail.delivery.MxOverrides;
import org.quorumail.delivery.Router;
import org.quorumail.dns.DnsResolver;
import org.quorumail.dsn.DsnComposer;
import org.quorumail.inject.HttpInjection;
import org.quorumail.metrics.Metrics;
import org.quorumail.node.CertificateWatcher;
import org.quorumail.node.ClusterDeparture;
import org.quorumail.node.ClusterMember;
import org.quorumail.node.ClusterMonitor;
import org.quorumail.node.ClusterOrders;
import org.quorumail.node.Config;
import org.quorumail.node.ConfigReloader;
import org.quorumail.node.ConfigResult;
import org.quorumail.node.ConfigSources;
import org.quorumail.node.DataDirectory;
import org.quorumail.node.FatalMessage;
import org.quorumail.node.LiveConfig;
import org.quorumail.node.MaintenanceMode;
import org.quorumail.node.MembershipReconciler;
import org.quorumail.node.MetaFollower;
import org.quorumail.node.MxOverrideFile;
import org.quorumail.node.NodeStartException;
import org.quorumail.node.NodeState;
import org.quorumail.node.OrderTables;
import org.quorumail.node.PolicyFactory;
import org.quorumail.node.QueueRuns;
import org.quorumail.node.RaftGroups;
import org.quorumail.node.ReplicatedConfig;
import org.quorumail.node.ReplicatedConfigFollower;
import org.quorumail.node.RuleSuspensions;
import org.quorumail.node.SignalHandlers;
import org.quorumail.node.SmtpListeners;
import org.quorumail.node.SpoolRebalancer;
import org.quorumail.node.TerminalMessages;
import org.quorumail.policy.LocalPolicyState;
import org.quorumail.queue.DeliveryQueue;
import org.quorumail.replication.RaftStartException;
import org.quorumail.spool.AccountingConfig;
import org.quorumail.spool.AccountingFile;
import org.quorumail.spool.Intake.Readiness;
import org.quorumail.upkeep.PeriodicTasks;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The composition root: one node, wired from the bottom up and closed from the top down. {@link
 * #run} is the whole life of a node, in order.
 */
final class Node {
  private static final Logger LOG = LoggerFactory.getLogger(Node.class);

  /** The time that running transactions and attempts have to finish; then the node leaves. */
  private static final Duration DRAIN_TIMEOUT = Duration.ofSeconds(30);

  /** The time beyond that for next hops that have a final dot and have not answered it. */
  private static final Duration DOUBT_TIMEOUT = Duration.ofSeconds(5);

  /** The time to find successors for the groups that this node leads. */
  private static final Duration TRANSFER_TIMEOUT = Duration.ofSeconds(10);

  private static final Duration FIRST_ELECTION_TIMEOUT = Duration.ofSeconds(3);

  /** The time to read the tables that the cluster's configuration names. */
  private static final Duration CONFIGURATION_TIMEOUT = Duration.ofSeconds(10);

  private final ConfigSources sources;
  private final LiveConfig config;
  private final DnsResolver resolver;
  private final Metrics metrics = new Metrics();
  private final NodeState state = new NodeState();
  private final TerminalMessages terminal = TerminalMessages.ofThisProcess(System.err);
  private final CountDownLatch stopping = new CountDownLatch(1);
  private final CountDownLatch stopped = new CountDownLatch(1);

  /** Set when the node leaves the cluster for good with this stop. */
  private volatile boolean leaving;

  private Optional<String> leaveFailure = Optional.empty();

  Node(ConfigResult.Valid valid, ConfigSources sources) throws NodeStartException {
    Config config = valid.config();
    Clock clock = Clock.systemUTC();
    this.sources = sources;
    this.resolver = new DnsResolver(config.delivery().dns(), clock, metrics.registry());
    LocalPolicyState policyState = new LocalPolicyState(config.policy().rates().keys(), clock);
    this.config =
        LiveConfig.open(valid, new PolicyFactory(resolver, policyState, metrics.registry(), clock));
  }

  /** Starts, serves until it is asked to stop, drains, and leaves. */
  void run() throws NodeStartException, InterruptedException {
    Thread hook = Thread.ofPlatform().name("shutdown").unstarted(this::stopAndWait);
    Runtime.getRuntime().addShutdownHook(hook);
    SignalHandlers.ignoreHangup(); // by default it would end the process
    SignalHandlers.onTermination(this::stop);
    terminal.starting(config.current());
    try {
      SmtpListeners.requireFreePorts(config.current());
      join(config.current());
      if (leaveFailure.isPresent())
        throw failure(new IllegalStateException(leaveFailure.get()), false);
    } catch (ClusterStartException e) {
      throw failure(e, e.configuration());
    } catch (TokenFileException e) {
      throw failure(e, true);
    } catch (RaftStartException | IOException e) {
      throw failure(e, false);
    } finally {
      metrics.close();
      stopped.countDown(); // the shutdown hook waits for it, whatever happened
    }
  }

  /** Locks the directory, finds the other nodes, and is observable from here on. */
  private void join(Config c)
      throws NodeStartException,
          ClusterStartException,
          RaftStartException,
          IOException,
          InterruptedException {
    try (DataDirectory directory = DataDirectory.open(c.node().dataDirectory(), c.node().id());
        ClusterMember member = ClusterMember.start(c, directory, state::load, metrics.registry());
        PeriodicTasks upkeep = new PeriodicTasks()) {
      MxOverrideFile formerOverrides = MxOverrideFile.open(directory.path());
      MxOverrides overrides = new MxOverrides();
      ClusterOrders orders = new ClusterOrders(member, state);
      Clock clock = Clock.systemUTC();
      ClusterReport clusterReport = new ClusterReport(member, state, this::leaveCluster);
      ClusterMonitor monitor = new ClusterMonitor(clusterReport, member, metrics.registry());
      ConfigReloader reloader =
          new ConfigReloader(sources, config, member::replaceSecrets, monitor::publishReload);
      SignalHandlers.onHangup(reloader::reload);
      ReplicatedConfig shared = new ReplicatedConfig(member, state, reloader, clock);
      HealthCheck health = new HealthCheck(config, state, resolver);
      MaintenanceMode maintenance = MaintenanceMode.open(directory.path(), state, member);
      QueueReport queue = new QueueReport(state, orders, clock);
      DnsReport dns = new DnsReport(resolver, overrides, orders, config, clock);
      boolean inCluster = c.cluster().enabled();
      OtherNodes others = inCluster ? new ClusterCalls(member, state) : OtherNodes.none();
      HttpInjection injection =
          new HttpInjection(
              () -> state.listeners().injection(),
              others,
              () -> memberWithout(MemberMetadata.REQUEST_KEYS, member));
      InternalApi internal = new InternalApi(maintenance, clusterReport, queue, dns, injection);
      Api api =
          new Api(
              new NodeReport(state, config, health, reloader, maintenance, stopping::countDown),
              clusterReport,
              inCluster ? new ClusterQueue(queue, others) : queue,
              dns,
              new ConfigReport(member, shared),
              c.metrics().enabled() ? Optional.of(metrics) : Optional.empty(),
              others,
              injection);
      upkeep.start("cluster-monitor", ClusterMonitor.INTERVAL, monitor::update);
      try (HttpServer http =
              c.health().enabled()
                  ? HttpServer.start(api, c.health(), c.api(), config::apiTls)
                  : null;
          ControlSocket control = ControlSocket.start(api, c.controlSocket())) {
        Optional<ClusterMap> map = member.awaitFormation(stopping);
        DeliveryParts delivery = new DeliveryParts(overrides, formerOverrides, orders);
        if (map.isPresent())
          serve(directory, member, map.get(), delivery, reloader, internal, maintenance);
      }
    }
  }

  /** A member that is down, or whose release lacks a feature. */
  private Optional<String> memberWithout(String feature, ClusterMember member) {
    return state
        .groups()
        .map(g -> new FeatureSupport(g.map(), member.metadata(), member.membership().members()))
        .flatMap(support -> support.memberWithout(feature));
  }

  /**
   * The parts of the delivery that outlive its queue.
   *
   * @param former the overrides of an older release that the cluster does not have yet
   */
  private record DeliveryParts(
      MxOverrides overrides, MxOverrideFile former, ClusterOrders orders) {}

  /** Opens the groups, accepts and delivers mail until it is asked to stop, then leaves. */
  private void serve(
      DataDirectory directory,
      ClusterMember member,
      ClusterMap map,
      DeliveryParts parts,
      ConfigReloader reloader,
      InternalApi internal,
      MaintenanceMode maintenance)
      throws ClusterStartException, RaftStartException, IOException, InterruptedException {
    Config c = config.current();
    Router router = new Router(c.routes(), c.delivery(), parts.overrides);
    DeliveryAgent agent =
        new DeliveryAgent(c.hostname(), c.delivery(), router, resolver, metrics.registry());
    DsnComposer dsns = new DsnComposer(c.hostname(), c.delivery().dsn());
    boolean delivers = c.roles().contains(Config.Role.DELIVER);
    Clock clock = Clock.systemUTC();
    try (ReplicatedConfigFollower follower =
            new ReplicatedConfigFollower(reloader, member::publishConfigStatus);
        DeliveryQueue queue =
            DeliveryQueue.start(agent, c.delivery(), dsns, delivers, metrics.registry(), clock);
        RaftGroups groups =
            RaftGroups.open(
                c,
                directory,
                member,
                map,
                metrics.registry(),
                queue,
                new MetaFollower(new OrderTables(parts.overrides, queue, parts.former), follower),
                e -> fatal(e, member))) {
      member.requireMembership(stopping);
      queue.onSuspensionRequest(new RuleSuspensions(parts.orders, clock)::suspend);
      state.opened(groups, queue);
      reloader.addPart(
          now -> {
            router.replaceRoutes(now.routes());
            router.replaceDomains(now.delivery().domains());
            queue.replaceSchedule(now.delivery());
            queue.replaceClassifier(config.classifier());
          });
      maintenance.restore();
      groups.answerCalls(internal::answer);
      try (PeriodicTasks upkeep = new PeriodicTasks()) {
        startUpkeep(upkeep, groups, member, queue);
        startAccounting(upkeep, directory, groups);
        upkeep.start("maintenance", MaintenanceMode.INTERVAL, maintenance::step);
        String nodeId = directory.identity().nodeId();
        if (!parts.former.hosts().isEmpty()) {
          upkeep.start(
              "override-import",
              MxOverrideFile.INTERVAL,
              () -> parts.former.giveTo(parts.orders, nodeId, clock));
        }
        Thread registration = Thread.ofVirtual().name("register").start(() -> register(groups));
        try {
          awaitFirstElection(groups);
          awaitConfiguration(groups, follower);
          QueueRuns runs = new QueueRuns(groups.spools(), queue);
          state.listening(
              SmtpListeners.open(
                  config, groups.spools(), runs, agent::knownLimits, metrics.registry()));
          LOG.info(
              "event=node_started id={} groups={} version={}",
              directory.identity().nodeId(),
              groups.names(),
              state.version());
          terminal.ready(config.current());
          stopping.await();
        } finally {
          registration.interrupt();
        }
      } finally {
        leave(groups, member, queue);
      }
    }
  }

  private void startAccounting(PeriodicTasks upkeep, DataDirectory directory, RaftGroups groups) {
    AccountingConfig accounting = config.current().accounting();
    if (accounting.file().isEmpty()) return;
    Path position = directory.path().resolve("accounting.position");
    String spool = Placement.spoolGroup(directory.identity().nodeId());
    AccountingFile file = new AccountingFile(accounting, position, spool, groups.spools());
    upkeep.start("accounting", AccountingFile.INTERVAL, file::write);
  }

  private void startUpkeep(
      PeriodicTasks upkeep, RaftGroups groups, ClusterMember member, DeliveryQueue queue) {
    CertificateWatcher certificates = new CertificateWatcher(config);
    Duration interval = CertificateWatcher.INTERVAL;
    upkeep.start("certificate-watch", interval, interval, certificates::check);
    SpoolRebalancer rebalancer = new SpoolRebalancer(groups, member, queue);
    if (config.current().cluster().enabled()) {
      MembershipReconciler members = new MembershipReconciler(groups, member, this::leaveCluster);
      upkeep.start("membership", MembershipReconciler.INTERVAL, members::reconcile);
    } else {
      groups.spools().recordEvents(); // no other release is there
    }
    upkeep.start("spool-rebalancer", SpoolRebalancer.INTERVAL, rebalancer::rebalanceAll);
  }

  /** The first election takes a moment; no client should see it. */
  private void awaitFirstElection(RaftGroups groups) throws InterruptedException {
    long until = System.nanoTime() + FIRST_ELECTION_TIMEOUT.toNanos();
    while (groups.spools().readiness() == Readiness.NO_QUORUM && System.nanoTime() < until) {
      if (stopping.await(20, TimeUnit.MILLISECONDS)) return;
    }
  }

  /** No client should see a configuration that the cluster has replaced. */
  private static void awaitConfiguration(RaftGroups groups, ReplicatedConfigFollower follower)
      throws InterruptedException {
    Optional<ConfigVersion> latest = groups.meta().configuration().flatMap(ConfigHistory::latest);
    if (latest.isPresent()) follower.await(latest.get().version(), CONFIGURATION_TIMEOUT);
  }

  /**
   * Accepts no new work, finishes what runs, and then hands the spools over: no entry of a client
   * or of an attempt is on its way at that moment, so nothing is left in doubt.
   */
  private void leave(RaftGroups groups, ClusterMember member, DeliveryQueue queue)
      throws InterruptedException {
    Optional<ClusterDeparture> departure = departure(groups, member);
    state.draining();
    LOG.info("event=node_draining leaves_cluster={}", departure.isPresent());
    groups.spools().pauseIntake();
    List<Thread> drains = state.listeners().drain(DRAIN_TIMEOUT);
    boolean finished = queue.drain(DRAIN_TIMEOUT);
    int inDoubt = finished ? 0 : queue.cutOff(DOUBT_TIMEOUT);
    groups.spools().drain(); // outcomes that wait for a later term of this node wait no more
    state.listeners().awaitTransactions();
    if (departure.isPresent()) leaveForGood(departure.get(), member);
    else groups.transferAll(member.membership(), TRANSFER_TIMEOUT);
    for (Thread drain : drains) drain.join(); // clients that do not close their connections
    member.membership().leave();
    LOG.info("event=node_left deliveries_finished={} in_doubt={}", finished, inDoubt);
  }

  /** Present when this stop is the end of the membership; a refusal leaves the node a member. */
  private Optional<ClusterDeparture> departure(RaftGroups groups, ClusterMember member) {
    if (!leaving && !config.current().cluster().leaveOnStop()) return Optional.empty();
    ClusterDeparture departure = new ClusterDeparture(groups, member);
    Optional<String> problem = departure.problem();
    if (problem.isEmpty()) return Optional.of(departure);
    LOG.warn("event=leave_refused reason=\"{}\"", problem.get());
    return Optional.empty();
  }

  private void leaveForGood(ClusterDeparture departure, ClusterMember member)
      throws InterruptedException {
    String node = member.metadata().nodeId();
    Optional<String> failure = departure.leave();
    if (failure.isPresent()) {
      leaveFailure = Optional.of("%s has not left in order: %s".formatted(node, failure.get()));
      LOG.warn("event=leave_failed reason=\"{}\"", failure.get());
      return;
    }
    String sentence = node + " has left the cluster; the other nodes have its queue and its places";
    LOG.info("event=cluster_left node={} reason=\"{}\"", node, sentence);
    terminal.left(sentence);
  }

  /** Leaves the cluster for good: an operator wants it, or the others have removed this node. */
  private void leaveCluster() {
    leaving = true;
    stop();
  }

  private void register(RaftGroups groups) {
    try {
      groups.register(config.current().node().region());
    } catch (InterruptedException e) {
      LOG.debug("event=register_interrupted");
    }
  }

  /**
   * Ends the process at once: the log or the state of a group has failed, or the others have
   * removed this node. To go on could mean a 250 for mail that is not on disk, and an orderly close
   * would write to the same disk.
   */
  private void fatal(Throwable cause, ClusterMember member) {
    String message = member.removal().orElseGet(() -> FatalMessage.of(cause));
    LOG.error("event=node_failed reason=\"{}\"", message);
    LOG.debug("event=node_failed_trace", cause);
    if (config.current().log().file().isPresent()) System.err.println("quorumail: " + message);
    Runtime.getRuntime().halt(1);
  }

  private void stop() {
    terminal.stopping();
    stopping.countDown();
  }

  private void stopAndWait() {
    stopping.countDown();
    try {
      stopped.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static NodeStartException failure(Exception cause, boolean configuration) {
    String sentence = String.valueOf(cause.getMessage());
    return configuration
        ? NodeStartException.ofConfiguration(sentence, cause)
        : new NodeStartException(sentence, cause);
  }
}
