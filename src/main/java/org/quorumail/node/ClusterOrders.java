package org.quorumail.node;

import java.util.Optional;
import org.quorumail.api.ChangeRefusedException;
import org.quorumail.cluster.MemberMetadata;
import org.quorumail.cluster.MetaState;
import org.quorumail.cluster.OperatorOrder;
import org.quorumail.cluster.OperatorOrders;

/**
 * The operator's orders to the delivery of all nodes, kept by the meta group: suspensions and MX
 * overrides. An order is in force on this node when {@link #give} returns, and on every other node
 * as soon as it has the entry. Thread-safe.
 */
public final class ClusterOrders {
  private final MetaChanges changes;

  public ClusterOrders(ClusterMember member, NodeState state) {
    this.changes = new MetaChanges(member, state);
  }

  /** The orders in force, as far as this node knows. */
  public OperatorOrders current() {
    return changes.state().flatMap(MetaState::orders).orElse(OperatorOrders.NONE);
  }

  /**
   * Gives an order to all nodes, those included that are down now.
   *
   * @throws ChangeRefusedException when nobody can decide about it now
   */
  public OperatorOrders.Result give(OperatorOrder order) {
    Optional<String> problem = order.problem();
    if (problem.isPresent()) throw new IllegalArgumentException(problem.get());
    if (changes.state().flatMap(MetaState::orders).isEmpty()) {
      changes.requireOnAllMembers(MemberMetadata.OPERATOR_ORDERS, "suspensions and overrides");
    }
    return OperatorOrders.Result.ofReply(changes.commit(MetaState.orderEntry(order)));
  }
}
