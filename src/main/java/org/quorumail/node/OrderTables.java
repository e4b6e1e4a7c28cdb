package org.quorumail.node;

import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;
import org.quorumail.cluster.MetaState;
import org.quorumail.cluster.OperatorOrders;
import org.quorumail.config.HostPort;
import org.quorumail.delivery.MxOverrides;
import org.quorumail.queue.DeliveryQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tables of this node's delivery that follow the orders of the cluster. The overrides of the
 * file of an older release count until the cluster has them.
 */
public final class OrderTables implements MetaState.Listener {
  private static final Logger LOG = LoggerFactory.getLogger(OrderTables.class);
  private static final int SMTP_PORT = 25;

  private final MxOverrides overrides;
  private final DeliveryQueue queue;
  private final MxOverrideFile file;

  public OrderTables(MxOverrides overrides, DeliveryQueue queue, MxOverrideFile file) {
    this.overrides = overrides;
    this.queue = queue;
    this.file = file;
    overrides.replaceAll(file.hosts());
  }

  @Override
  public void ordersChanged(OperatorOrders orders) {
    Map<String, HostPort> hosts = new TreeMap<>(file.hosts());
    orders.mxOverrides().forEach((domain, o) -> put(hosts, domain, o.host()));
    overrides.replaceAll(hosts);
    Map<String, Instant> ends = new TreeMap<>();
    orders.suspensions().forEach((domain, s) -> ends.put(domain, Instant.ofEpochMilli(s.until())));
    queue.replaceSuspensions(ends);
    LOG.info(
        "event=operator_orders_changed suspensions={} overrides={}", ends.size(), hosts.size());
  }

  private static void put(Map<String, HostPort> hosts, String domain, String host) {
    try {
      hosts.put(domain, HostPort.parse(host, SMTP_PORT));
    } catch (IllegalArgumentException e) {
      LOG.warn(
          "event=override_not_used domain={} host={} reason=\"{}\"", domain, host, e.getMessage());
    }
  }
}
