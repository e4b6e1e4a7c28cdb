package org.quorumail.gossip.swim;

import org.jspecify.annotations.Nullable;

/**
 * The state of a member in another node's view. The order is SWIM's rule for conflicts: of two
 * updates with the same incarnation the later constant wins, otherwise the higher incarnation.
 */
public enum MemberState {
  ALIVE(0),
  /** A probe of it failed; it counts as a member until the suspicion expires. */
  SUSPECT(1),
  /** It was declared dead when the suspicion expired. */
  DEAD(2),
  /** It left gracefully. */
  LEFT(3);

  private final int code;

  MemberState(int code) {
    this.code = code;
  }

  /** The state's byte on the wire. */
  int code() {
    return code;
  }

  static @Nullable MemberState ofCode(int code) {
    return switch (code) {
      case 0 -> ALIVE;
      case 1 -> SUSPECT;
      case 2 -> DEAD;
      case 3 -> LEFT;
      default -> null;
    };
  }

  /** Returns whether the state is alive or suspect. */
  public boolean isMember() {
    return this == ALIVE || this == SUSPECT;
  }

  /** Returns whether an update with this state and incarnation replaces the other one. */
  boolean supersedes(long incarnation, MemberState other, long otherIncarnation) {
    if (incarnation != otherIncarnation) return incarnation > otherIncarnation;
    return compareTo(other) > 0;
  }
}
