package org.quorumail.gossip.driver;

import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import org.quorumail.gossip.transport.DropReason;
import org.quorumail.gossip.transport.Opener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says in the log why frames are dropped where an operator would look for it in vain: the node that
 * sends them only stays away. Once a minute at most, strangers must not fill the log with it.
 * Thread-safe.
 */
final class DropWarnings {
  private static final Logger log = LoggerFactory.getLogger(DropWarnings.class);
  private static final Duration MIN_INTERVAL = Duration.ofMinutes(1);

  private final Map<DropReason, Long> lastLogged = new EnumMap<>(DropReason.class);

  void logIfDue(DropReason reason) {
    switch (reason) {
      case STALE -> {
        if (isDue(reason)) {
          log.warn(
              "gossip_clocks_differ reason=\"a node whose clock is more than {} minutes away cannot"
                  + " be heard; set the clocks\"",
              Opener.MAX_CLOCK_DIFFERENCE.toMinutes());
        }
      }
      case UNKNOWN_KEY -> {
        if (isDue(reason)) {
          log.warn(
              "gossip_secrets_differ reason=\"a node seals with a secret that is neither"
                  + " cluster.secret nor one of cluster.accepted_secrets here, and is not heard\"");
        }
      }
      default -> {
        // the counters have it
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
