package org.quorumail.gossip;

/**
 * What a node holds of another. The order is SWIM's rule for conflicts: of two statements with the
 * same incarnation the later constant wins, otherwise the higher incarnation does.
 */
public enum MemberState {
  ALIVE,
  /** Accused of not answering; counts as a member until the suspicion has run out. */
  SUSPECT,
  /** The suspicion ran out. */
  DEAD,
  /** Said good-bye. */
  LEFT;

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
