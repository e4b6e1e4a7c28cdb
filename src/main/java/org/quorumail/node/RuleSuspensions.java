package org.quorumail.node;

import java.time.Clock;
import org.quorumail.api.ChangeRefusedException;
import org.quorumail.cluster.OperatorOrder;
import org.quorumail.cluster.OperatorOrder.Suspend;
import org.quorumail.cluster.OperatorOrders;
import org.quorumail.queue.SuspensionRequest;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The suspensions that rules ask for, given to the cluster as an operator's would be. One that is
 * in force already is not replaced: an operator may have set it for longer.
 */
public final class RuleSuspensions {
  private static final Logger LOG = LoggerFactory.getLogger(RuleSuspensions.class);

  private final ClusterOrders orders;
  private final Clock clock;

  public RuleSuspensions(ClusterOrders orders, Clock clock) {
    this.orders = orders;
    this.clock = clock;
  }

  /** Blocks until the cluster has decided. A refusal is logged: the next failure asks again. */
  public void suspend(SuspensionRequest request) {
    long now = clock.millis();
    Suspend running = orders.current().suspensions().get(request.domain());
    if (running != null && running.until() > now) return;
    String reason = request.reason();
    if (reason.length() > OperatorOrder.REASON_MAX)
      reason = reason.substring(0, OperatorOrder.REASON_MAX);
    Suspend order =
        new Suspend(
            request.domain(), now, now + request.time().toMillis(), reason, request.author());
    try {
      if (orders.give(order) == OperatorOrders.Result.FULL)
        throw ChangeRefusedException.conflict("too many domains are suspended");
      LOG.warn(
          "event=domain_suspended domain={} seconds={} author={} reason=\"{}\"",
          request.domain(),
          request.time().toSeconds(),
          request.author(),
          reason);
    } catch (ChangeRefusedException | IllegalArgumentException e) {
      LOG.warn(
          "event=suspension_refused domain={} author={} reason=\"{}\"",
          request.domain(),
          request.author(),
          e.getMessage());
    }
  }
}
