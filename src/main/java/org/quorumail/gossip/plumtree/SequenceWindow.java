package org.quorumail.gossip.plumtree;

import java.util.Arrays;

/**
 * Which broadcasts of one life of one origin were seen: all up to a floor, and single ones above
 * it. This is the origin's entry in the version vector, so it neither grows with the messages nor
 * forgets them with time; only a gap that falls more than the window behind is given up.
 */
final class SequenceWindow {
  /** 8,192 messages: what an origin may send in 8 s at 1,000 per second while one is missing. */
  static final int MAX_WORDS = 128;

  private static final int WINDOW = MAX_WORDS * Long.SIZE;
  private static final long[] NONE = {};

  private long floor;
  private long[] words = NONE;
  private long givenUp;

  /** Starts at what a newcomer first hears, with half a window for what overtook it. */
  static SequenceWindow startingNear(long sequence) {
    SequenceWindow window = new SequenceWindow();
    window.floor = Math.max(0, sequence - WINDOW / 2);
    return window;
  }

  boolean contains(long sequence) {
    if (sequence <= floor) return true;
    long index = sequence - floor - 1;
    return index < (long) words.length * Long.SIZE
        && (words[(int) (index >>> 6)] >>> (index & 63) & 1) != 0;
  }

  /** Whether it is new. */
  boolean add(long sequence) {
    if (contains(sequence)) return false;
    if (sequence - floor > WINDOW) slideTo(sequence - WINDOW);
    long index = sequence - floor - 1;
    int word = (int) (index >>> 6);
    if (word >= words.length) words = Arrays.copyOf(words, word + 1);
    words[word] |= 1L << (index & 63);
    if (index == 0) advance();
    return true;
  }

  long floor() {
    return floor;
  }

  /** The highest that was seen; the floor when there is none above it. */
  long highest() {
    for (int i = words.length - 1; i >= 0; i--) {
      if (words[i] != 0) return floor + (i + 1L) * Long.SIZE - Long.numberOfLeadingZeros(words[i]);
    }
    return floor;
  }

  /** What is missing up to here will not come any more; nothing above the highest. */
  void giveUpTo(long sequence) {
    long newFloor = Math.min(sequence, highest());
    if (newFloor > floor) slideTo(newFloor);
  }

  /** Copy of the exceptions above the floor, without empty words at the end. */
  long[] words() {
    int used = words.length;
    while (used > 0 && words[used - 1] == 0) used--;
    return used == 0 ? NONE : Arrays.copyOf(words, used);
  }

  /** Sequences that fell out of the window unseen. */
  long givenUp() {
    return givenUp;
  }

  /** Moves the floor over everything that is seen without a gap. */
  private void advance() {
    long run = 0;
    for (long word : words) {
      int ones = Long.numberOfTrailingZeros(~word);
      run += ones;
      if (ones < Long.SIZE) break;
    }
    shift(run);
  }

  private void slideTo(long newFloor) {
    long distance = newFloor - floor;
    long seen = 0;
    for (long s = floor + 1; s <= Math.min(newFloor, floor + (long) words.length * 64); s++) {
      if (contains(s)) seen++;
    }
    givenUp += distance - seen;
    shift(distance);
    if (words.length > 0 && (words[0] & 1) != 0) advance();
  }

  private void shift(long distance) {
    floor += distance;
    if (distance >= (long) words.length * Long.SIZE) {
      words = NONE;
      return;
    }
    int whole = (int) (distance >>> 6);
    int bits = (int) (distance & 63);
    long[] shifted = new long[words.length - whole];
    boolean empty = true;
    for (int i = 0; i < shifted.length; i++) {
      long low = words[i + whole] >>> bits;
      long high =
          bits == 0 || i + whole + 1 >= words.length ? 0 : words[i + whole + 1] << (64 - bits);
      shifted[i] = low | high;
      empty &= shifted[i] == 0;
    }
    words = empty ? NONE : shifted;
  }
}
