package org.quorumail.node;

import java.time.Duration;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The transfer of all groups that a stopping node leads. A group without a successor at the moment
 * is tried again, since an election without a transfer leaves the appends of other nodes
 * unanswered.
 *
 * @param led the groups that this node leads now
 * @param handOver transfers a group; whether another node leads it now
 * @param mayMove whether a member of the group may become its successor within a moment
 */
record GroupTransfers(
    Supplier<List<String>> led, Predicate<String> handOver, Predicate<String> mayMove) {
  private static final Logger LOG = LoggerFactory.getLogger(GroupTransfers.class);
  private static final Duration PAUSE = Duration.ofMillis(100);

  /** Returns the groups that this node leads still. */
  List<String> run(Duration timeout) throws InterruptedException {
    long until = System.nanoTime() + timeout.toNanos();
    while (true) {
      List<String> groups = led.get();
      boolean mayGoOn = groups.stream().filter(handOver.negate()).filter(mayMove).count() > 0;
      List<String> left = led.get();
      if (left.isEmpty()) return left;
      boolean isNew = !groups.containsAll(left);
      if (System.nanoTime() - until > 0 || !(mayGoOn || isNew)) {
        LOG.warn(
            "event=groups_not_transferred groups={} reason=\"no other member is ready\"", left);
        return left;
      }
      Thread.sleep(PAUSE);
    }
  }
}
