package org.quorumail.node;

import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.cluster.MemberMetadata.NodeLoad;
import org.quorumail.queue.DeliveryQueue;

/**
 * The state of this node that its reports read: version, start, phase, and the parts that run.
 * Thread-safe; only the composition root changes it.
 *
 * <p>The phases follow each other and none comes back. Maintenance is beside them: it comes and
 * goes.
 *
 * <table>
 *   <caption>Phases</caption>
 *   <tr><th>phase</th><th>begins with</th><th>groups and queue</th><th>listeners</th></tr>
 *   <tr><td>forming</td><td>the start</td><td>absent</td><td>none</td></tr>
 *   <tr><td>opening</td><td>{@link #opened}</td><td>present</td><td>none</td></tr>
 *   <tr><td>serving</td><td>{@link #listening}</td><td>present</td><td>open</td></tr>
 *   <tr><td>draining</td><td>{@link #draining}</td><td>present</td><td>closing</td></tr>
 * </table>
 */
public final class NodeState {
  private final long startedNanos = System.nanoTime();
  private final long startedMillis = System.currentTimeMillis();
  private final ProcessCpuUsage cpuUsage = new ProcessCpuUsage(ProcessCpuUsage.MIN_INTERVAL);
  private volatile @Nullable Parts parts;
  private volatile SmtpListeners listeners = SmtpListeners.NONE;
  private volatile boolean draining;
  private volatile @Nullable String maintenance;

  private record Parts(RaftGroups groups, DeliveryQueue queue) {}

  /** Records that the cluster is formed, the groups are open and the queue runs. */
  public void opened(RaftGroups groups, DeliveryQueue queue) {
    if (parts != null) throw new IllegalStateException("the groups were opened before");
    parts = new Parts(groups, queue);
  }

  /** Records that clients can connect. */
  public void listening(SmtpListeners open) {
    if (parts == null) throw new IllegalStateException("listeners are open before the groups");
    listeners = open;
  }

  /** Records that the node leaves: no new work is accepted. */
  public void draining() {
    draining = true;
  }

  /** Records that an operator has taken the node out of service; null when it is back. */
  void maintenance(@Nullable String reason) {
    maintenance = reason;
  }

  /**
   * The reason of the maintenance of the node, perhaps without words; empty without maintenance.
   */
  public Optional<String> maintenance() {
    return Optional.ofNullable(maintenance);
  }

  /** The Raft groups; empty before the cluster is formed. */
  public Optional<RaftGroups> groups() {
    Parts running = parts;
    return running == null ? Optional.empty() : Optional.of(running.groups);
  }

  /** The delivery queue; empty before the cluster is formed. */
  public Optional<DeliveryQueue> queue() {
    Parts running = parts;
    return running == null ? Optional.empty() : Optional.of(running.queue);
  }

  /** The SMTP listeners; none before they are open, and none on a node that does not receive. */
  public SmtpListeners listeners() {
    return listeners;
  }

  public boolean isDraining() {
    return draining;
  }

  /** The version of the program; {@code development} when it runs from class files. */
  public String version() {
    String packaged = NodeState.class.getPackage().getImplementationVersion();
    return packaged == null ? "development" : packaged;
  }

  public Duration uptime() {
    return Duration.ofNanos(System.nanoTime() - startedNanos);
  }

  /** The figures that the other nodes of the cluster see. */
  public NodeLoad load() {
    Runtime runtime = Runtime.getRuntime();
    String reason = maintenance;
    Parts running = parts;
    boolean ready = running != null && running.groups.hasCaughtUp();
    return new NodeLoad(
        version(),
        ready && !draining && reason == null,
        draining || reason != null,
        startedMillis,
        listeners.activeConnections(),
        messagesAccepted(),
        cpuUsage.cpu(),
        (runtime.totalMemory() - runtime.freeMemory()) >> 20,
        reason);
  }

  /** Messages that this node's own spool has accepted since it exists. */
  private long messagesAccepted() {
    Parts running = parts;
    if (running == null) return 0;
    return running.groups.spools().all().stream()
        .filter(s -> s.isHome())
        .mapToLong(s -> s.counters().accepted())
        .max()
        .orElse(0);
  }
}
