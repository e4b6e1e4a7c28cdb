package org.quorumail.cluster;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.quorumail.cluster.Membership.Presence;

/**
 * Notices that this node does not see more than half of the founding members any more, and that it
 * does again. From here nobody can tell whether the others are cut off or dead; that they said
 * good-bye one can tell, and then it is no partition. One thread looks; any may ask.
 */
public final class PartitionDetector {
  private boolean hadMajority;
  private volatile boolean partitioned;
  private long partitionedAtMillis;

  /** What changed, in the words of an event. */
  public record Change(String type, Map<String, String> details) {}

  /** Whether it was so at the last look. */
  public boolean isPartitioned() {
    return partitioned;
  }

  /**
   * Looks again; the first look that sees a majority arms it.
   *
   * @param others as the membership has them
   * @param now milliseconds of a clock that does not jump
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
    boolean byGoodbyes = 2 * (seen + gone) > all;
    if (!hadMajority || partitioned || byGoodbyes || lost.isEmpty()) return Optional.empty();
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
