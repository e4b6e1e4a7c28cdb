package org.quorumail.node;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Supplier;

/** The two events that all nodes get about a spool that moves in order: before and after. */
public final class SpoolMoveEvents {
  public static final String STARTED = "RebalancingStarted";
  public static final String COMPLETED = "RebalancingCompleted";

  /** The detail of both events that names the spool. */
  public static final String SPOOL = "spool";

  /** The detail of both events that names the next leader, or the node that gets a replica. */
  public static final String TO = "to";

  /** The detail of the second event: whether the spool has moved. */
  static final String MOVED = "moved";

  private SpoolMoveEvents() {}

  /**
   * The details of a move of the leadership.
   *
   * @param reason {@code home}, {@code maintenance} or {@code operator}
   * @param messages the number of messages in the spool
   */
  static Map<String, String> details(String spool, String reason, long messages) {
    return Map.of(SPOOL, spool, "reason", reason, "messages", String.valueOf(messages));
  }

  /**
   * Runs a move between its events; after an exception the second one says that nothing moved.
   *
   * @param move returns why the spool has not moved, or nothing
   * @return what the move has returned
   */
  static Optional<String> enclose(
      BiConsumer<String, Map<String, String>> publisher,
      Map<String, String> details,
      Supplier<Optional<String>> move) {
    publisher.accept(STARTED, details);
    boolean moved = false;
    try {
      Optional<String> failure = move.get();
      moved = failure.isEmpty();
      return failure;
    } finally {
      Map<String, String> end = new HashMap<>(details);
      end.put(MOVED, String.valueOf(moved));
      publisher.accept(COMPLETED, end);
    }
  }
}
