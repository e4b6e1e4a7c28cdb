package org.quorumail.gossip.plumtree;

import java.util.List;

/** The answer to a broadcast: results are values. */
public sealed interface BroadcastResult {
  /** The effects to carry out; empty when nothing was taken. */
  default List<PlumtreeEffect> effects() {
    return switch (this) {
      case Accepted accepted -> accepted.effects;
      case Degraded degraded -> degraded.effects;
      case Rejected rejected -> List.of();
    };
  }

  /** On its way to every neighbour. */
  record Accepted(BroadcastId id, List<PlumtreeEffect> effects) implements BroadcastResult {}

  /** Taken, but slow down: neighbours lag, or there is none yet. */
  record Degraded(BroadcastId id, Pressure pressure, List<PlumtreeEffect> effects)
      implements BroadcastResult {}

  /** Not taken. */
  record Rejected(Refusal refusal) implements BroadcastResult {}

  enum Pressure {
    /** Kept for neighbours to come. */
    NO_NEIGHBOURS,
    /** A neighbour has too many unacknowledged bytes and only gets announcements. */
    NEIGHBOUR_LAGS,
    /** More messages wait for acknowledgement than the cache may hold for long. */
    CACHE_FILLS
  }

  enum Refusal {
    MESSAGE_TOO_LARGE,
    /** So much is unacknowledged that taking more would lose something. */
    QUEUE_FULL,
    SHUT_DOWN
  }
}
