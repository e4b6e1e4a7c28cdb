package org.quorumail.gossip.plumtree;

import java.util.List;

/** The result of a broadcast. */
public sealed interface BroadcastResult {
  /** The effects to carry out; empty when the broadcast was rejected. */
  default List<PlumtreeEffect> effects() {
    return switch (this) {
      case Accepted accepted -> accepted.effects;
      case Degraded degraded -> degraded.effects;
      case Rejected rejected -> List.of();
    };
  }

  /** Accepted and sent to every neighbour. */
  record Accepted(BroadcastId id, List<PlumtreeEffect> effects) implements BroadcastResult {}

  /** Accepted, but the caller should slow down: neighbours lag, or there is none yet. */
  record Degraded(BroadcastId id, Pressure pressure, List<PlumtreeEffect> effects)
      implements BroadcastResult {}

  /** Rejected; the message is not sent. */
  record Rejected(Refusal refusal) implements BroadcastResult {}

  enum Pressure {
    /** There is no neighbour yet; the message is kept for the next one. */
    NO_NEIGHBOURS,
    /** A neighbour has too many unacknowledged bytes and receives only announcements. */
    NEIGHBOUR_LAGS,
    /** The message cache is nearly full. */
    CACHE_FILLS
  }

  enum Refusal {
    MESSAGE_TOO_LARGE,
    /** Every neighbour has so many unacknowledged messages that another one could be lost. */
    QUEUE_FULL,
    SHUT_DOWN
  }
}
