package org.quorumail.node;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.quorumail.api.MaintenanceView;
import org.quorumail.cluster.Formation;
import org.quorumail.cluster.Placement;
import org.quorumail.queue.DeliveryQueue;
import org.quorumail.replication.DurableFile;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * The maintenance of this node. It accepts no mail, finishes what runs, and transfers every group
 * that it leads; it goes on to replicate and to vote. Maintenance lasts until an operator ends it:
 * the file {@code maintenance.json} in the data directory keeps it over a restart.
 *
 * <p>The order leaves nothing in doubt. New transactions get 421, so that no entry is on its way in
 * when the running ones have ended. No attempt starts, so that no outcome is on its way in when the
 * running ones have ended. Only then does a spool move. After the drain timeout the running
 * transactions are cut off, and so are the attempts that have not sent their final dot.
 *
 * <p>{@link #step} is called by one thread, all others by any.
 */
public final class MaintenanceMode implements MaintenanceView {
  private static final Logger LOG = LoggerFactory.getLogger(MaintenanceMode.class);

  /** The time between two steps. */
  public static final Duration INTERVAL = Duration.ofMillis(200);

  /** The states of {@link MaintenanceStatus}. */
  static final String ACTIVE = "active";

  static final String STOPPING = "stopping";
  static final String DRAINING = "draining";
  static final String DRAINED = "maintenance";

  private static final String ENTERED = "MaintenanceEntered";
  private static final String EXITED = "MaintenanceExited";

  private static final String FILE = "maintenance.json";
  private static final int FILE_VERSION = 1;
  private static final JsonMapper JSON = JsonMapper.shared();

  private final Path file;
  private final Operations operations;
  private final Clock clock;
  private final LongSupplier nanoTime;
  private volatile @Nullable Maintenance current;

  /** The content of the file. */
  private record StoredMaintenance(
      int version,
      String reason,
      String since,
      long drainTimeoutMillis,
      boolean migrate,
      List<String> targets) {
    StoredMaintenance {
      if (version != FILE_VERSION)
        throw new IllegalArgumentException("its version %d is unknown".formatted(version));
      if (reason == null || since == null || targets == null)
        throw new IllegalArgumentException("a field is missing");
      targets = List.copyOf(targets);
    }
  }

  /** Maintenance that is on. */
  private static final class Maintenance {
    final StoredMaintenance stored;
    final long startedNanos;

    /** Of the thread that runs the steps. */
    boolean reportedDrained;

    /** Under the lock of the mode. */
    boolean cutOff;

    volatile List<String> waitingFor = List.of();

    Maintenance(StoredMaintenance stored, long startedNanos) {
      this.stored = stored;
      this.startedNanos = startedNanos;
    }
  }

  /** The operations of the node that maintenance uses. */
  interface Operations {
    String self();

    /** Whether the groups are open and the node is not stopping. */
    boolean isServing();

    boolean isStopping();

    /** The ids of all members of the cluster. */
    List<String> members();

    /** Whether another node is ready to lead. */
    boolean isReady(String nodeId);

    /** The ids of the nodes that hold this node's spool. */
    List<String> ownReplicas();

    /** Publishes to all nodes why this node is in maintenance; null when it is not. */
    void show(@Nullable String reason);

    void stopIntake();

    void resumeIntake();

    void stopDeliveries();

    void resumeDeliveries();

    void endIdleSessions();

    int transactions();

    int deliveries();

    int inDoubt();

    /** Closes all sessions. */
    void closeSessions();

    /** Lets no attempt send a final dot until deliveries are resumed. */
    void stopDots();

    /** The groups that this node leads. */
    List<String> led();

    /** Returns why no other node can lead a group that this node leads, or nothing. */
    Optional<String> obstacle(String group, List<String> targets);

    /** Transfers a group; whether another node leads it now. */
    boolean handOver(String group, List<String> targets);

    void publish(String type, Map<String, String> details);

    /** The number of messages in a spool. */
    long messages(String spool);
  }

  MaintenanceMode(Path file, Operations operations, Clock clock, LongSupplier nanoTime)
      throws NodeStartException {
    this.file = file;
    this.operations = operations;
    this.clock = clock;
    this.nanoTime = nanoTime;
    Optional<StoredMaintenance> stored = read();
    if (stored.isEmpty()) return;
    current = new Maintenance(stored.get(), nanoTime.getAsLong());
    operations.show(stored.get().reason());
    LOG.warn(
        "event=maintenance_continues since={} reason=\"{}\"",
        stored.get().since(),
        stored.get().reason());
  }

  /** Opens the maintenance of a node, which may have been in it when it stopped. */
  public static MaintenanceMode open(Path directory, NodeState state, ClusterMember member)
      throws NodeStartException {
    return new MaintenanceMode(
        directory.resolve(FILE),
        new NodeOperations(state, member),
        Clock.systemUTC(),
        System::nanoTime);
  }

  private Optional<StoredMaintenance> read() throws NodeStartException {
    try {
      if (!Files.exists(file)) return Optional.empty();
      return Optional.of(JSON.readValue(Files.readAllBytes(file), StoredMaintenance.class));
    } catch (IOException | JacksonException e) {
      throw new NodeStartException(
          "%s cannot be read (%s); delete it to end the maintenance of the node"
              .formatted(file, e.getMessage()),
          e);
    }
  }

  /** Takes up maintenance that began before the start. Called once the groups are open. */
  public synchronized void restore() {
    Maintenance now = current;
    if (now != null) stopWork(now);
  }

  @Override
  public synchronized MaintenanceResult enterMaintenance(MaintenanceOrder order) {
    if (current != null) return new MaintenanceResult(maintenance(), "");
    Optional<String> problem = problem(order);
    if (problem.isPresent()) return new MaintenanceResult(maintenance(), problem.get());
    StoredMaintenance stored =
        new StoredMaintenance(
            FILE_VERSION,
            order.reason(),
            Instant.ofEpochMilli(clock.millis()).toString(),
            order.drainTimeout().toMillis(),
            order.migrate(),
            order.targets());
    try {
      DurableFile.replace(file, JSON.writeValueAsBytes(stored));
    } catch (IOException e) {
      throw new UncheckedIOException(file + " cannot be written", e);
    }
    Maintenance begun = new Maintenance(stored, nanoTime.getAsLong());
    current = begun;
    operations.show(stored.reason());
    Map<String, String> details =
        Map.of(
            "reason", stored.reason(),
            "transactions", String.valueOf(operations.transactions()),
            "deliveries", String.valueOf(operations.deliveries()),
            "leads", String.join(" ", operations.led()));
    stopWork(begun);
    operations.publish(ENTERED, details);
    LOG.info(
        "event=maintenance_entered reason=\"{}\" drain_timeout_seconds={} migrate={} targets={}",
        stored.reason(),
        order.drainTimeout().toSeconds(),
        stored.migrate(),
        stored.targets());
    return new MaintenanceResult(maintenance(), "");
  }

  private void stopWork(Maintenance begun) {
    operations.stopIntake();
    if (begun.stored.migrate()) operations.stopDeliveries();
  }

  private Optional<String> problem(MaintenanceOrder order) {
    if (!operations.isServing())
      return Optional.of("the node is starting or stopping; try again when it serves");
    String self = operations.self();
    List<String> others =
        operations.members().stream().filter(member -> !member.equals(self)).toList();
    if (others.isEmpty())
      return Optional.of(
          self
              + " is the only node: nobody would take its mail; stop it with"
              + " 'quorumail system shutdown' instead");
    for (String target : order.targets()) {
      Optional<String> problem = targetProblem(target, self, others);
      if (problem.isPresent()) return problem;
    }
    if (others.stream().noneMatch(operations::isReady))
      return Optional.of(
          "no other node is ready, and nobody would take mail: bring back one of "
              + String.join(", ", others));
    return Optional.empty();
  }

  private Optional<String> targetProblem(String target, String self, List<String> others) {
    if (target.equals(self))
      return Optional.of(self + " cannot be a target: it is the node in maintenance");
    if (!others.contains(target)) return Optional.of(target + " is no member of the cluster");
    List<String> replicas = operations.ownReplicas();
    if (!replicas.contains(target))
      return Optional.of(
          "%s has no replica of the spool of %s; these have one: %s"
              .formatted(
                  target,
                  self,
                  String.join(", ", replicas.stream().filter(r -> !r.equals(self)).toList())));
    if (!operations.isReady(target)) return Optional.of(target + " is not ready");
    return Optional.empty();
  }

  @Override
  public synchronized MaintenanceStatus exitMaintenance() {
    Maintenance ending = current;
    if (ending == null) return maintenance();
    try {
      Files.deleteIfExists(file);
      DurableFile.forceDirectory(file.resolveSibling("."));
    } catch (IOException e) {
      throw new UncheckedIOException(file + " cannot be deleted", e);
    }
    current = null;
    if (operations.isServing()) {
      operations.resumeIntake();
      operations.resumeDeliveries();
    }
    operations.show(null);
    long seconds =
        Duration.between(Instant.parse(ending.stored.since()), clock.instant()).toSeconds();
    operations.publish(EXITED, Map.of("seconds", String.valueOf(seconds)));
    LOG.info("event=maintenance_exited seconds={}", seconds);
    return maintenance();
  }

  @Override
  public MaintenanceStatus maintenance() {
    Maintenance now = current;
    boolean serves = operations.isServing();
    int transactions = serves ? operations.transactions() : 0;
    int deliveries = serves ? operations.deliveries() : 0;
    int inDoubt = serves ? operations.inDoubt() : 0;
    List<String> leads = serves ? operations.led() : List.of();
    if (now == null)
      return new MaintenanceStatus(
          operations.self(),
          operations.isStopping() ? STOPPING : ACTIVE,
          null,
          null,
          0,
          true,
          List.of(),
          transactions,
          deliveries,
          inDoubt,
          leads,
          List.of());
    boolean isDrained = isDrained(now, transactions, deliveries, inDoubt, leads);
    return new MaintenanceStatus(
        operations.self(),
        isDrained ? DRAINED : DRAINING,
        now.stored.reason(),
        now.stored.since(),
        now.stored.drainTimeoutMillis() / 1000,
        now.stored.migrate(),
        now.stored.targets(),
        transactions,
        deliveries,
        inDoubt,
        leads,
        isDrained ? List.of() : now.waitingFor);
  }

  /** After the drain timeout an attempt without a final dot does no harm. */
  private static boolean isDrained(
      Maintenance now, int transactions, int deliveries, int inDoubt, List<String> leads) {
    if (transactions > 0) return false;
    return !now.stored.migrate()
        || (leads.isEmpty() && inDoubt == 0 && (deliveries == 0 || now.cutOff));
  }

  /** Runs one step of the drain; later transfers what this node was elected to lead meanwhile. */
  public void step() {
    Maintenance now = current;
    if (now == null || !operations.isServing()) return;
    operations.endIdleSessions();
    long elapsed = nanoTime.getAsLong() - now.startedNanos;
    if (elapsed > Duration.ofMillis(now.stored.drainTimeoutMillis()).toNanos()) cutOff(now);
    List<String> waits = new ArrayList<>();
    int transactions = operations.transactions();
    int deliveries = now.cutOff ? operations.inDoubt() : operations.deliveries();
    if (transactions > 0) waits.add("transactions: " + transactions);
    if (now.stored.migrate()) {
      if (deliveries > 0) waits.add("deliveries: " + deliveries);
      transfer(now, transactions + deliveries == 0, waits);
    }
    if (!waits.equals(now.waitingFor) && !waits.isEmpty())
      LOG.info("event=maintenance_waits for=\"{}\"", String.join(", ", waits));
    now.waitingFor = List.copyOf(waits);
    if (!waits.isEmpty() || now.reportedDrained) return;
    now.reportedDrained = true;
    LOG.info("event=maintenance_drained seconds={}", elapsed / 1_000_000_000);
  }

  /** No mail is in the meta group, so it moves at once. */
  private void transfer(Maintenance now, boolean spoolsToo, List<String> waits) {
    for (String group : operations.led()) {
      if (current != now) return;
      if (!spoolsToo && !group.equals(Placement.META_GROUP)) continue;
      handOver(group, now.stored.targets()).ifPresent(why -> waits.add(group + ": " + why));
    }
  }

  private Optional<String> handOver(String group, List<String> targets) {
    Optional<String> obstacle = operations.obstacle(group, targets);
    if (obstacle.isPresent()) return obstacle;
    if (group.equals(Placement.META_GROUP)) return electOther(group, targets);
    return SpoolMoveEvents.enclose(
        operations::publish,
        SpoolMoveEvents.details(group, "maintenance", operations.messages(group)),
        () -> electOther(group, targets));
  }

  private Optional<String> electOther(String group, List<String> targets) {
    return operations.handOver(group, targets)
        ? Optional.empty()
        : Optional.of("no other node was elected");
  }

  private synchronized void cutOff(Maintenance now) {
    if (current != now || now.cutOff) return;
    now.cutOff = true;
    int transactions = operations.transactions();
    int deliveries = operations.deliveries();
    operations.closeSessions();
    if (now.stored.migrate()) operations.stopDots();
    if (transactions + deliveries > 0)
      LOG.warn(
          "event=maintenance_drain_cut transactions={} deliveries={}", transactions, deliveries);
  }

  private record NodeOperations(NodeState state, ClusterMember member) implements Operations {
    @Override
    public String self() {
      return member.metadata().nodeId();
    }

    @Override
    public boolean isServing() {
      return state.groups().isPresent() && !state.isDraining();
    }

    @Override
    public boolean isStopping() {
      return state.isDraining();
    }

    @Override
    public List<String> members() {
      return groups().map().members().stream().map(Formation.Member::nodeId).toList();
    }

    @Override
    public boolean isReady(String nodeId) {
      return groups()
          .map()
          .find(nodeId)
          .filter(node -> RaftGroups.isReady(member.membership(), node))
          .isPresent();
    }

    @Override
    public List<String> ownReplicas() {
      return groups().map().spoolMembers(self()).stream().map(Formation.Member::nodeId).toList();
    }

    @Override
    public void show(@Nullable String reason) {
      state.maintenance(reason);
    }

    @Override
    public void stopIntake() {
      groups().spools().pauseIntake();
    }

    @Override
    public void resumeIntake() {
      groups().spools().resumeIntake();
    }

    @Override
    public void stopDeliveries() {
      queue().stopAll();
    }

    @Override
    public void resumeDeliveries() {
      queue().resumeAll();
    }

    @Override
    public void endIdleSessions() {
      state.listeners().endIdleSessions();
    }

    @Override
    public int transactions() {
      return state.listeners().transactions();
    }

    @Override
    public int deliveries() {
      return queue().running();
    }

    @Override
    public int inDoubt() {
      return queue().inDoubt();
    }

    @Override
    public void closeSessions() {
      state.listeners().closeSessions();
    }

    @Override
    public void stopDots() {
      queue().stopDots();
    }

    @Override
    public List<String> led() {
      return groups().led();
    }

    @Override
    public Optional<String> obstacle(String group, List<String> targets) {
      return groups().obstacleToHandOver(group, targets, member.membership());
    }

    @Override
    public boolean handOver(String group, List<String> targets) {
      return groups().handOver(group, targets, member.membership());
    }

    @Override
    public void publish(String type, Map<String, String> details) {
      member.publish(type, details);
    }

    @Override
    public long messages(String spool) {
      return groups().messages(spool);
    }

    private RaftGroups groups() {
      return state.groups().orElseThrow(() -> new IllegalStateException("no group is open"));
    }

    private DeliveryQueue queue() {
      return state.queue().orElseThrow(() -> new IllegalStateException("the queue does not run"));
    }
  }
}
