package org.quorumail.gossip.driver;

import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import org.quorumail.gossip.transport.DropReason;
import org.quorumail.gossip.transport.Opener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The warnings about dropped frames that an operator must act on: the sending node only seems to be
 * missing. Each reason is logged once a minute at most, so that an attacker cannot fill the LOG.
 * Thread-safe.
 */
final class DropWarnings {
  private static final Logger LOG = LoggerFactory.getLogger(DropWarnings.class);
  private static final Duration MIN_INTERVAL = Duration.ofMinutes(1);

  private final Map<DropReason, Long> lastLogged = new EnumMap<>(DropReason.class);

  void logIfDue(DropReason reason) {
    switch (reason) {
      case STALE -> {
        if (isDue(reason)) {
          LOG.warn(
              "event=gossip_clocks_differ reason=\"frames are dropped of a node whose clock differs"
                  + " by more than {} minutes; synchronize the clocks\"",
              Opener.MAX_CLOCK_DIFFERENCE.toMinutes());
        }
      }
      case UNKNOWN_KEY -> {
        if (isDue(reason)) {
          LOG.warn(
              "event=gossip_secrets_differ reason=\"frames are dropped of a node whose secret is"
                  + " neither cluster.secret nor one of cluster.accepted_secrets here\"");
        }
      }
      default -> {
        // counted, see GossipMetrics
      }
    }
  }

  private synchronized boolean isDue(DropReason reason) {
    long now = System.nanoTime();
    Long last = lastLogged.get(reason);
    if (last != null && now - last < MIN_INTERVAL.toNanos()) return false;
    lastLogged.put(reason, now);
    return true;
  }
}
