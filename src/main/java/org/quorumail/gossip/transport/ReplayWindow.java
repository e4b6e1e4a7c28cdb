package org.quorumail.gossip.transport;

/**
 * The counters already received from one sender: a bitmap that slides with the highest counter (RFC
 * 4303 §3.4.3). A counter older than the bitmap counts as received.
 */
final class ReplayWindow {
  /**
   * A sender counts its frames to all nodes together, so two successive frames to one node may be
   * far apart. 2,048 is some seconds of a busy sender, in 256 bytes.
   */
  static final int BITS = 2_048;

  private final long[] seen = new long[BITS / Long.SIZE];
  private long highest = -1;

  boolean isNew(long counter) {
    if (counter > highest) return true;
    if (highest - counter >= BITS) return false;
    return (seen[wordIndex(counter)] & bitMask(counter)) == 0;
  }

  /**
   * Marks a counter as received; only for a valid seal, as a forged one must not move the window.
   */
  void mark(long counter) {
    if (!isNew(counter)) throw new IllegalStateException("counter " + counter + " is a replay");
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
