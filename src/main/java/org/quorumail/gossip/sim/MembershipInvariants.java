package org.quorumail.gossip.sim;

import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.swim.Swim;
import org.quorumail.gossip.swim.SwimMember;

/**
 * The invariants of membership, which hold at every moment whatever the network does. A check of
 * all pairs after each event would take too long, so each check takes one random pair; millions of
 * events cover all pairs.
 */
final class MembershipInvariants {
  private MembershipInvariants() {}

  private static Swim swim(Simulation simulation, int node) {
    return ((SimulatedSwimNode) simulation.host(node)).swim();
  }

  /** An invariant of each node, checked at a random one. */
  abstract static class NodeInvariant implements Simulation.Invariant {
    private final SplittableRandom random;

    NodeInvariant(SplittableRandom random) {
      this.random = random;
    }

    @Override
    public final @Nullable String violation(Simulation simulation) {
      return violation(simulation, anyNode(simulation));
    }

    final int anyNode(Simulation simulation) {
      return random.nextInt(simulation.nodes());
    }

    abstract @Nullable String violation(Simulation simulation, int node);
  }

  /** Only a member itself raises its incarnation. */
  static final class IncarnationBound extends NodeInvariant {
    IncarnationBound(SplittableRandom random) {
      super(random);
    }

    @Override
    @Nullable String violation(Simulation simulation, int observer) {
      int subject = anyNode(simulation);
      if (observer == subject) return null;
      SwimMember self = swim(simulation, subject).self();
      SwimMember known = swim(simulation, observer).find(self.id()).orElse(null);
      long highest = ((SimulatedSwimNode) simulation.host(subject)).highestIncarnation();
      if (known == null || known.incarnation() <= highest) return null;
      return "node " + observer + " knows " + known + ", which never got beyond " + highest;
    }
  }

  /** A node's view does not contain the node itself. */
  static final class NoSelfMembership extends NodeInvariant {
    NoSelfMembership(SplittableRandom random) {
      super(random);
    }

    @Override
    @Nullable String violation(Simulation simulation, int node) {
      Swim swim = swim(simulation, node);
      NodeId own = swim.self().id();
      return swim.find(own).isPresent() ? "node " + node + " lists itself" : null;
    }
  }

  /**
   * A view has at most as many members as there are nodes, and at most one update waits for each.
   */
  static final class ViewBound extends NodeInvariant {
    ViewBound(SplittableRandom random) {
      super(random);
    }

    @Override
    @Nullable String violation(Simulation simulation, int node) {
      Swim swim = swim(simulation, node);
      if (swim.clusterSize() > simulation.nodes()) return node + " counts " + swim.clusterSize();
      int pending = swim.pendingUpdates();
      return pending > simulation.nodes() ? node + " keeps " + pending + " updates" : null;
    }
  }

  /** A running node always has a deadline, at most a probe interval away at rest. */
  static final class DeadlineBound extends NodeInvariant {
    DeadlineBound(SplittableRandom random) {
      super(random);
    }

    @Override
    @Nullable String violation(Simulation simulation, int node) {
      if (simulation.isDown(node)) return null;
      long ahead = swim(simulation, node).nextDeadline() - simulation.localTime(node);
      return ahead > 60_000 ? "node " + node + " waits for " + ahead + " ms" : null;
    }
  }

  /** The tables of a core agree with each other; see {@link Swim#violation}. */
  static final class CoreConsistency extends NodeInvariant {
    private long calls;

    CoreConsistency(SplittableRandom random) {
      super(random);
    }

    @Override
    @Nullable String violation(Simulation simulation, int node) {
      // a check looks at every row, so it follows one of as many calls as there are rows
      if (++calls % (64 + simulation.nodes()) != 0) return null;
      return swim(simulation, node).violation().map(v -> "node " + node + ": " + v).orElse(null);
    }
  }
}
