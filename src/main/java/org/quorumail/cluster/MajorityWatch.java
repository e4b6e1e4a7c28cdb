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
public final class MajorityWatch {
  private boolean hadMajority;
  private volatile boolean cutOff;
  private long cutOffAt;

  /** What changed, in the words of an event. */
  public record Change(String type, Map<String, String> details) {}

  /** Whether it was so at the last look. */
  public boolean isCutOff() {
    return cutOff;
  }

  /**
   * Looks again; the first look that sees a majority arms it.
   *
   * @param others as the membership has them
   * @param now milliseconds of a clock that does not jump
   */
  public Optional<Change> look(
      Formation formation, String self, List<Membership.Member> others, long now) {
    int seen = 1;
    int gone = 0;
    List<String> lost = new ArrayList<>();
    for (Membership.Member other : others) {
      String id = other.card().nodeId();
      if (id.equals(self) || formation.find(id).isEmpty()) continue;
      if (other.presence() == Presence.DEAD) lost.add(id);
      else if (other.presence() == Presence.LEFT) gone++;
      else seen++;
    }
    int all = formation.members().size();
    if (2 * seen > all) return majority(seen, all, now);
    boolean byGoodbyes = 2 * (seen + gone) > all;
    if (!hadMajority || cutOff || byGoodbyes || lost.isEmpty()) return Optional.empty();
    cutOff = true;
    cutOffAt = now;
    Map<String, String> details =
        Map.of("seen", text(seen), "members", text(all), "lost", String.join(" ", lost));
    return Optional.of(new Change("PartitionDetected", details));
  }

  private Optional<Change> majority(int seen, int all, long now) {
    hadMajority = true;
    if (!cutOff) return Optional.empty();
    cutOff = false;
    Map<String, String> details =
        Map.of("seen", text(seen), "members", text(all), "seconds", text((now - cutOffAt) / 1_000));
    return Optional.of(new Change("PartitionHealed", details));
  }

  private static String text(long number) {
    return Long.toString(number);
  }
}
