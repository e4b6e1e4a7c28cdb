package org.quorumail.node;

import org.quorumail.cluster.ConfigVersion;
import org.quorumail.cluster.MetaState;
import org.quorumail.cluster.OperatorOrders;

/** The parts of this node that follow the state of the meta group. */
public record MetaFollower(OrderTables delivery, ReplicatedConfigFollower configuration)
    implements MetaState.Listener {
  @Override
  public void ordersChanged(OperatorOrders orders) {
    delivery.ordersChanged(orders);
  }

  @Override
  public void configurationChanged(ConfigVersion latest) {
    configuration.changed(latest);
  }
}
