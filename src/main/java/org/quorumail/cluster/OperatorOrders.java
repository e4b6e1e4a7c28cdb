package org.quorumail.cluster;

import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Function;
import org.quorumail.cluster.OperatorOrder.RemoveMxOverride;
import org.quorumail.cluster.OperatorOrder.Resume;
import org.quorumail.cluster.OperatorOrder.SetMxOverride;
import org.quorumail.cluster.OperatorOrder.Suspend;

/** The operator's orders that are in force on all nodes, by domain. Immutable. */
public record OperatorOrders(
    Map<String, Suspend> suspensions, Map<String, SetMxOverride> mxOverrides) {
  /** The most orders of a kind: operators give them one by one, and each node has all in memory. */
  public static final int MAX = 10_000;

  public static final OperatorOrders NONE = new OperatorOrders(Map.of(), Map.of());

  public OperatorOrders {
    suspensions = sorted(suspensions);
    mxOverrides = sorted(mxOverrides);
  }

  private static <T> Map<String, T> sorted(Map<String, T> orders) {
    return Collections.unmodifiableMap(
        new TreeMap<>(Objects.isNull(orders) ? Map.of() : orders)); // JSON may leave it out
  }

  /** The result of an order; its name is the reply of the entry. */
  public enum Result {
    DONE,
    /** There was nothing to end or remove. */
    ABSENT,
    /** There are too many orders of the kind. */
    FULL;

    byte[] reply() {
      return name().getBytes(StandardCharsets.US_ASCII);
    }

    /** Reads the reply of an entry. */
    public static Result ofReply(byte[] reply) {
      return valueOf(new String(reply, StandardCharsets.US_ASCII));
    }
  }

  /** The orders after one more, and its result. */
  record Change(OperatorOrders next, Result result) {}

  /**
   * Applies an order. Suspensions that had ended when a new one began are dropped: the time is that
   * of the order, so all replicas drop the same.
   */
  Change with(OperatorOrder order) {
    return switch (order) {
      case Suspend suspend -> {
        Map<String, Suspend> running = new TreeMap<>(suspensions);
        running.values().removeIf(s -> s.until() <= suspend.since());
        yield put(running, suspend, next -> new OperatorOrders(next, mxOverrides));
      }
      case Resume resume ->
          remove(suspensions, resume, next -> new OperatorOrders(next, mxOverrides));
      case SetMxOverride override ->
          put(mxOverrides, override, next -> new OperatorOrders(suspensions, next));
      case RemoveMxOverride remove ->
          remove(mxOverrides, remove, next -> new OperatorOrders(suspensions, next));
    };
  }

  private <T extends OperatorOrder> Change put(
      Map<String, T> present, T order, Function<Map<String, T>, OperatorOrders> result) {
    if (present.size() >= MAX && !present.containsKey(order.domain())) {
      return new Change(this, Result.FULL);
    }
    Map<String, T> next = new TreeMap<>(present);
    next.put(order.domain(), order);
    return new Change(result.apply(next), Result.DONE);
  }

  private <T> Change remove(
      Map<String, T> present,
      OperatorOrder order,
      Function<Map<String, T>, OperatorOrders> result) {
    if (!present.containsKey(order.domain())) return new Change(this, Result.ABSENT);
    Map<String, T> next = new TreeMap<>(present);
    next.remove(order.domain());
    return new Change(result.apply(next), Result.DONE);
  }
}
