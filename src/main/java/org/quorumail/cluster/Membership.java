package org.quorumail.cluster;

import java.util.List;
import java.util.Optional;

/**
 * Who is there, as far as this node has heard. Everything above asks only this; it is soft state:
 * ownership of mail moves by Raft alone.
 */
public interface Membership extends AutoCloseable {
  /** The others that have ever been heard of, this node not among them. */
  List<Member> members();

  /**
   * Why this node cannot find anybody, when every address that it was given was reached and none
   * trusts it or is trusted by it: one sentence. Empty as long as one is only silent.
   */
  Optional<String> joinFailure();

  /** Says good-bye, so that nobody holds this node for dead; waits some seconds at the most. */
  default void leave() throws InterruptedException {}

  @Override
  void close();

  /**
   * Another node.
   *
   * @param lastContactMillis of its last sign of life, milliseconds since 1970 on this node's clock
   */
  record Member(MemberMetadata metadata, Presence presence, long lastContactMillis) {
    public boolean reachable() {
      return presence == Presence.ALIVE;
    }
  }

  enum Presence {
    ALIVE,
    /** Does not answer at the moment; may be slow, paused or gone. */
    SUSPECT,
    /** Held dead. */
    DEAD,
    /** Said good-bye. */
    LEFT
  }
}
