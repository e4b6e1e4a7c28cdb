package org.quorumail.gossip.transport;

/**
 * Which counters of one sender have been here: a bitmap that slides with the highest one (RFC 4303
 * §3.4.3). What is older than the bitmap counts as seen.
 */
final class ReplayWindow {
  /**
   * A sender counts its frames to all nodes together, so neighbours in time may be far apart in
   * counters; 2,048 is some seconds of a busy sender, in 256 bytes.
   */
  static final int BITS = 2_048;

  private final long[] seen = new long[BITS / Long.SIZE];
  private long highest = -1;

  boolean isNew(long counter) {
    if (counter > highest) return true;
    if (highest - counter >= BITS) return false;
    return (seen[wordIndex(counter)] & bitMask(counter)) == 0;
  }

  /** To be called only for a frame whose seal is right: a forged one must not move the window. */
  void mark(long counter) {
    if (counter > highest) {
      long steps = Math.min(counter - highest, BITS);
      for (long c = counter - steps + 1; c <= counter; c++) seen[wordIndex(c)] &= ~bitMask(c);
      highest = counter;
    }
    seen[wordIndex(counter)] |= bitMask(counter);
  }

  private static int wordIndex(long counter) {
    return (int) (counter % BITS / Long.SIZE);
  }

  private static long bitMask(long counter) {
    return 1L << counter % Long.SIZE;
  }
}
