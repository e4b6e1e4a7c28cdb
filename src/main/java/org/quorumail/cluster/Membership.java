package org.quorumail.cluster;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Who is there, as far as this node has heard. The seam at which gossip takes the place of the
 * static list; everything above asks only this.
 */
public interface Membership extends AutoCloseable {
  /** The others that have ever been heard of, this node not among them. */
  List<Member> members();

  /**
   * Why this node cannot find anybody, when every address that it was given was reached and none
   * trusts it or is trusted by it: one sentence. Empty as long as one is only silent.
   */
  Optional<String> refusal();

  @Override
  void close();

  /**
   * Another node.
   *
   * @param silence since its last sign of life, on this node's monotonic clock
   */
  record Member(NodeCard card, long lastHeardMillis, Duration silence) {
    /** Three missed cards in a row: more than a pause of the garbage collector. */
    private static final Duration SUSPECT_AFTER = Duration.ofSeconds(3);

    public boolean reachable() {
      return silence.compareTo(SUSPECT_AFTER) < 0;
    }
  }
}
