package org.quorumail.gossip.sim;

import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.Node;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.Swim;

/**
 * What holds at every moment, whatever the network does. Looking at all pairs after each event is
 * beyond any clock, so each check looks at one random pair: millions of events see them all.
 */
final class MembershipInvariants {
  private MembershipInvariants() {}

  private static Swim swim(Simulation simulation, int node) {
    return ((SwimHost) simulation.host(node)).swim();
  }

  /** Nobody but a member itself raises its incarnation. */
  static final class NobodyKnowsAHigherIncarnation implements Simulation.Invariant {
    private final SplittableRandom random;

    NobodyKnowsAHigherIncarnation(SplittableRandom random) {
      this.random = random;
    }

    @Override
    public @Nullable String violation(Simulation simulation) {
      int observer = random.nextInt(simulation.nodes());
      int subject = random.nextInt(simulation.nodes());
      if (observer == subject) return null;
      Node self = swim(simulation, subject).self();
      Node known = swim(simulation, observer).find(self.id()).orElse(null);
      long highest = ((SwimHost) simulation.host(subject)).highestIncarnation();
      if (known == null || known.incarnation() <= highest) return null;
      return "node " + observer + " knows " + known + ", which never got beyond " + highest;
    }
  }

  /** A node is no member of its own view and counts itself once. */
  static final class NobodyIsItsOwnMember implements Simulation.Invariant {
    private final SplittableRandom random;

    NobodyIsItsOwnMember(SplittableRandom random) {
      this.random = random;
    }

    @Override
    public @Nullable String violation(Simulation simulation) {
      int node = random.nextInt(simulation.nodes());
      Swim swim = swim(simulation, node);
      NodeId own = swim.self().id();
      return swim.find(own).isPresent() ? "node " + node + " lists itself" : null;
    }
  }

  /** A view has at most the nodes that there are, and at most one update waits for each. */
  static final class ViewsAndQueuesAreBounded implements Simulation.Invariant {
    private final SplittableRandom random;

    ViewsAndQueuesAreBounded(SplittableRandom random) {
      this.random = random;
    }

    @Override
    public @Nullable String violation(Simulation simulation) {
      int node = random.nextInt(simulation.nodes());
      Swim swim = swim(simulation, node);
      if (swim.clusterSize() > simulation.nodes()) return node + " counts " + swim.clusterSize();
      int pending = swim.pendingUpdates();
      return pending > simulation.nodes() ? node + " keeps " + pending + " updates" : null;
    }
  }

  /** A live node always has something to wait for, at most a probe interval away at rest. */
  static final class EveryNodeHasADeadline implements Simulation.Invariant {
    private final SplittableRandom random;

    EveryNodeHasADeadline(SplittableRandom random) {
      this.random = random;
    }

    @Override
    public @Nullable String violation(Simulation simulation) {
      int node = random.nextInt(simulation.nodes());
      if (simulation.isDown(node)) return null;
      long ahead = swim(simulation, node).nextDeadline() - simulation.localTime(node);
      return ahead > 60_000 ? "node " + node + " waits for " + ahead + " ms" : null;
    }
  }
}
