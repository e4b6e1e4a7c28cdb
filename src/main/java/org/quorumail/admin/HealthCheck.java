package org.quorumail.admin;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.quorumail.api.NodeView.NodeHealth;
import org.quorumail.delivery.NextHop;
import org.quorumail.dns.Resolver;
import org.quorumail.node.Config;
import org.quorumail.node.RaftGroups;
import org.quorumail.queue.DeliveryQueue;
import org.quorumail.smtp.server.SmtpListener;
import org.quorumail.spool.Intake.Readiness;
import org.quorumail.spool.Spool;

/**
 * How the node is at the moment of asking. Alive means that each loop that is started comes round:
 * those that accept connections, the queue's dispatcher, the state machine of each spool. Ready
 * means that mail sent here now is taken and goes on its way.
 */
public final class HealthCheck {
  /** Longer than any honest pause of a loop: a garbage collection, a compaction, a slow fsync. */
  private static final Duration STUCK_AFTER = Duration.ofSeconds(30);

  /** A probe is answered within a second. */
  private static final Duration DNS_TIMEOUT = Duration.ofMillis(700);

  private HealthCheck() {}

  /** What runs while a node serves. */
  public record Parts(RaftGroups groups, DeliveryQueue queue, Resolver resolver) {}

  /**
   * @param parts null before the cluster is formed and the groups are open
   */
  public static NodeHealth of(
      Config config, boolean draining, List<SmtpListener> listeners, @Nullable Parts parts) {
    boolean accepting = listeners.stream().allMatch(l -> draining || l.isAccepting(STUCK_AFTER));
    long most = config.health().maxQueueSize();
    if (parts == null) {
      return new NodeHealth(accepting, draining, false, false, false, true, false, 0, most);
    }
    boolean dispatching = draining || parts.queue.isProgressing(STUCK_AFTER);
    List<Spool> spools = parts.groups.spools().all();
    boolean applying = spools.stream().allMatch(s -> s.isProgressing(STUCK_AFTER));
    boolean receives = config.roles().contains(Config.Role.RECEIVE);
    Readiness readiness = parts.groups.spools().readiness();
    return new NodeHealth(
        accepting && dispatching && applying,
        draining,
        accepting && (!receives || !listeners.isEmpty()),
        readiness == Readiness.READY,
        dispatching,
        isDnsReady(config, parts.resolver),
        readiness == Readiness.READY || readiness == Readiness.DISK_FULL,
        spools.stream().filter(Spool::isLeader).mapToLong(s -> s.counters().messages()).sum(),
        most);
  }

  /**
   * Whether a name server answers. Asked only of a node that was given name servers and has mail to
   * deliver by MX: with those of the system, a laptop without a network is still a mail server,
   * that holds its mail until there is one.
   */
  private static boolean isDnsReady(Config config, Resolver resolver) {
    boolean given = !config.delivery().dns().servers().isEmpty();
    return !given || !routesByMx(config) || resolver.isNameServerReachable(DNS_TIMEOUT);
  }

  private static boolean routesByMx(Config config) {
    boolean all = config.routes().stream().anyMatch(r -> r.domain().text().equals("*"));
    boolean named = config.routes().stream().anyMatch(r -> r.to().contains(new NextHop.Mx()));
    return named || !all;
  }
}
