package org.quorumail.gossip.swim;

import org.jspecify.annotations.Nullable;

/**
 * What a node holds of another. The order is SWIM's rule for conflicts: of two statements with the
 * same incarnation the later constant wins, otherwise the higher incarnation does.
 */
public enum MemberState {
  ALIVE(0),
  /** Accused of not answering; counts as a member until the suspicion has run out. */
  SUSPECT(1),
  /** The suspicion ran out. */
  DEAD(2),
  /** Said good-bye. */
  LEFT(3);

  private final int code;

  MemberState(int code) {
    this.code = code;
  }

  /** The byte that stands for it on the wire. */
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

  /** Alive or suspect. */
  public boolean isMember() {
    return this == ALIVE || this == SUSPECT;
  }

  /** Whether a statement of this state and incarnation replaces the other one. */
  boolean supersedes(long incarnation, MemberState other, long otherIncarnation) {
    if (incarnation != otherIncarnation) return incarnation > otherIncarnation;
    return compareTo(other) > 0;
  }
}
