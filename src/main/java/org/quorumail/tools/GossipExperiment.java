package org.quorumail.tools;

import java.io.PrintWriter;
import java.util.List;
import java.util.function.Supplier;
import org.quorumail.gossip.sim.BroadcastReport;
import org.quorumail.gossip.sim.BroadcastRun;
import org.quorumail.gossip.sim.MembershipReport;
import org.quorumail.gossip.sim.MembershipRun;
import org.quorumail.gossip.sim.MembershipScenario;

/**
 * Simulated gossip, {@code quorumail sim gossip}: the same scenario with one seed after another,
 * for membership, broadcasts or both.
 *
 * @param scenarios one for each seed, at least one
 * @param killedShare share of the nodes (0 to 1) that die at once before the last broadcast
 */
public record GossipExperiment(List<MembershipScenario> scenarios, double killedShare, Part part) {
  /** The protocol that is simulated. */
  public enum Part {
    MEMBERSHIP,
    BROADCAST,
    ALL
  }

  /** The heap in bytes that one simulation needs; 0 for broadcasts alone, which keep no views. */
  public long requiredHeap() {
    return part == Part.BROADCAST ? 0 : scenarios.getFirst().heapBytes();
  }

  /** Runs all simulations, in parallel where processors and heap allow it. */
  public Result run() throws InterruptedException {
    List<Supplier<MembershipReport>> memberships =
        part == Part.BROADCAST
            ? List.of()
            : scenarios.stream()
                .<Supplier<MembershipReport>>map(s -> () -> MembershipRun.of(s))
                .toList();
    List<Supplier<BroadcastReport>> broadcasts =
        part == Part.MEMBERSHIP
            ? List.of()
            : scenarios.stream()
                .<Supplier<BroadcastReport>>map(s -> () -> BroadcastRun.of(s, killedShare))
                .toList();
    long bytes = scenarios.getFirst().heapBytes();
    return new Result(
        SimulationExecutor.run(memberships, bytes), SimulationExecutor.run(broadcasts, bytes));
  }

  /** The reports of all seeds; a part that was not simulated has none. */
  public record Result(List<MembershipReport> memberships, List<BroadcastReport> broadcasts) {
    public void print(PrintWriter out) {
      if (!memberships.isEmpty()) GossipTables.printMembership(memberships, out);
      if (!memberships.isEmpty() && !broadcasts.isEmpty()) out.println();
      if (!broadcasts.isEmpty()) GossipTables.printBroadcasts(broadcasts, out);
    }

    /** Coverage and detection times as one SVG document. */
    public String toSvg() {
      return GossipPlots.svg(memberships, broadcasts);
    }
  }
}
