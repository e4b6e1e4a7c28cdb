package org.quorumail.cluster;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.quorumail.cluster.Membership.Presence;

/**
 * The detector of partitions: it notices when this node loses sight of more than half of the
 * founding members, and when it regains it. This node cannot know whether the others are cut off or
 * dead. When they announced that they leave, it is no partition. One thread updates the detector;
 * any may read.
 */
public final class PartitionDetector {
  private boolean hadMajority;
  private volatile boolean partitioned;
  private long partitionedAtMillis;

  /** A change, with the type and the details of its event. */
  public record Change(String type, Map<String, String> details) {}

  /** Reports whether this node was cut off at the last update. */
  public boolean isPartitioned() {
    return partitioned;
  }

  /**
   * Compares the members with the last update; the first update that sees a majority arms the
   * detector.
   *
   * @param others as the membership has them
   * @param now milliseconds of a monotonic clock
   */
  public Optional<Change> update(
      Formation formation, String self, List<Membership.Member> others, long now) {
    int seen = 1;
    int gone = 0;
    List<String> lost = new ArrayList<>();
    for (Membership.Member other : others) {
      String id = other.metadata().nodeId();
      if (id.equals(self) || formation.find(id).isEmpty()) continue;
      if (other.presence() == Presence.DEAD) lost.add(id);
      else if (other.presence() == Presence.LEFT) gone++;
      else seen++;
    }
    int all = formation.members().size();
    if (2 * seen > all) return regainMajority(seen, all, now);
    boolean byLeaves = 2 * (seen + gone) > all;
    if (!hadMajority || partitioned || byLeaves || lost.isEmpty()) return Optional.empty();
    partitioned = true;
    partitionedAtMillis = now;
    Map<String, String> details =
        Map.of("seen", text(seen), "members", text(all), "lost", String.join(" ", lost));
    return Optional.of(new Change("PartitionDetected", details));
  }

  private Optional<Change> regainMajority(int seen, int all, long now) {
    hadMajority = true;
    if (!partitioned) return Optional.empty();
    partitioned = false;
    Map<String, String> details =
        Map.of(
            "seen",
            text(seen),
            "members",
            text(all),
            "seconds",
            text((now - partitionedAtMillis) / 1_000));
    return Optional.of(new Change("PartitionHealed", details));
  }

  private static String text(long number) {
    return Long.toString(number);
  }
}
