package org.quorumail.admin;

import java.time.Duration;
import java.util.List;
import org.quorumail.api.NodeView.NodeHealth;
import org.quorumail.delivery.NextHop;
import org.quorumail.dns.Resolver;
import org.quorumail.node.Config;
import org.quorumail.node.LiveConfig;
import org.quorumail.node.NodeState;
import org.quorumail.node.RaftGroups;
import org.quorumail.node.SmtpListeners;
import org.quorumail.queue.DeliveryQueue;
import org.quorumail.spool.Intake.Readiness;
import org.quorumail.spool.Spool;

/**
 * The health of the node at the moment of the question. Alive means that each loop makes progress:
 * those that accept connections, the queue's dispatcher, the state machine of each spool. Ready
 * means that mail sent here now is accepted and delivered.
 */
public final class HealthCheck {
  /** Longer than any ordinary pause of a loop: a garbage collection, a compaction, a slow fsync. */
  private static final Duration STUCK_AFTER = Duration.ofSeconds(30);

  /** A probe is answered within a second. */
  private static final Duration DNS_TIMEOUT = Duration.ofMillis(700);

  private final LiveConfig config;
  private final NodeState state;
  private final Resolver resolver;

  public HealthCheck(LiveConfig config, NodeState state, Resolver resolver) {
    this.config = config;
    this.state = state;
    this.resolver = resolver;
  }

  /** Whether each loop makes progress; needs no disk and no name server. */
  boolean isAlive() {
    if (state.isDraining()) return isApplying();
    return state.listeners().areAccepting(STUCK_AFTER)
        && state.queue().map(queue -> queue.isProgressing(STUCK_AFTER)).orElse(true)
        && isApplying();
  }

  private boolean isApplying() {
    return state
        .groups()
        .map(groups -> groups.spools().all().stream().allMatch(s -> s.isProgressing(STUCK_AFTER)))
        .orElse(true);
  }

  NodeHealth check() {
    Config c = config.current();
    boolean draining = state.isDraining();
    boolean maintenance = state.maintenance().isPresent();
    SmtpListeners listeners = state.listeners();
    boolean accepting = draining || listeners.areAccepting(STUCK_AFTER);
    RaftGroups groups = state.groups().orElse(null);
    DeliveryQueue queue = state.queue().orElse(null);
    long maxQueue = c.health().maxQueueSize();
    if (groups == null || queue == null) { // the cluster is not formed
      return new NodeHealth(
          isAlive(),
          draining,
          maintenance,
          false,
          false,
          false,
          true,
          false,
          0,
          maxQueue,
          true,
          List.of());
    }
    boolean dispatching = draining || queue.isProgressing(STUCK_AFTER);
    List<Spool> spools = groups.spools().all();
    boolean receives = c.roles().contains(Config.Role.RECEIVE);
    Readiness readiness = groups.spools().readiness();
    return new NodeHealth(
        isAlive(),
        draining,
        maintenance,
        accepting && (!receives || !listeners.isEmpty()),
        readiness == Readiness.READY && groups.hasCaughtUp(),
        dispatching,
        isDnsReady(c, resolver),
        groups.spools().hasQuorum() && !draining,
        queued(spools),
        maxQueue,
        queue.clockStep().isZero(),
        groups.groupsBehind());
  }

  private static long queued(List<Spool> spools) {
    return spools.stream().filter(Spool::isLeader).mapToLong(s -> s.counters().messages()).sum();
  }

  /**
   * Reports whether a name server answers. Only a node that was given name servers and delivers by
   * MX asks: with those of the system, a laptop without a network is still a mail server, which
   * keeps its mail until there is one.
   */
  static boolean isDnsReady(Config config, Resolver resolver) {
    boolean given = !config.delivery().dns().servers().isEmpty();
    return !given || !routesByMx(config) || resolver.isNameServerReachable(DNS_TIMEOUT);
  }

  private static boolean routesByMx(Config config) {
    boolean all = config.routes().stream().anyMatch(r -> r.domain().text().equals("*"));
    boolean named = config.routes().stream().anyMatch(r -> r.to().contains(new NextHop.Mx()));
    return named || !all;
  }
}
