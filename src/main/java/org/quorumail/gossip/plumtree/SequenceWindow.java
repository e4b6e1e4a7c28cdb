package org.quorumail.gossip.plumtree;

import java.util.Arrays;

/**
 * The seen sequences of one source: all up to a floor, and single ones above it. It is the source's
 * entry in the version vector. It neither grows with the messages nor forgets them with time; only
 * a gap that falls more than the window behind is given up.
 */
final class SequenceWindow {
  /** 8,192 messages: 8 s at 1,000 per second while one message is missing. */
  static final int MAX_WORDS = 128;

  private static final int WINDOW = MAX_WORDS * Long.SIZE;
  private static final long[] NONE = {};

  private long floor;
  private long[] words = NONE;
  private long givenUp;

  /** Starts at the first received sequence, less half a window for messages that it overtook. */
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

  /** Adds a sequence; returns whether it is new. */
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

  /** The highest seen sequence; the floor when there is none above it. */
  long highest() {
    for (int i = words.length - 1; i >= 0; i--) {
      if (words[i] != 0) return floor + (i + 1L) * Long.SIZE - Long.numberOfLeadingZeros(words[i]);
    }
    return floor;
  }

  /** Gives up the gaps up to a sequence, at most up to the highest seen one. */
  void giveUpTo(long sequence) {
    long newFloor = Math.min(sequence, highest());
    if (newFloor > floor) slideTo(newFloor);
  }

  /** A copy of the bits above the floor, without empty words at the end. */
  long[] words() {
    int used = words.length;
    while (used > 0 && words[used - 1] == 0) used--;
    return used == 0 ? NONE : Arrays.copyOf(words, used);
  }

  /** The number of sequences that were given up unseen. */
  long givenUp() {
    return givenUp;
  }

  /** Moves the floor up to the first gap. */
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
    long seenBelow = 0;
    for (long s = floor + 1; s <= Math.min(newFloor, floor + (long) words.length * 64); s++) {
      if (contains(s)) seenBelow++;
    }
    givenUp += distance - seenBelow;
    shift(distance);
    if (words.length > 0 && (words[0] & 1) != 0) advance();
  }

  /** Returns whether the first sequence above the floor is a gap, and the words fit the window. */
  boolean isNormalised() {
    return words.length <= MAX_WORDS && (words.length == 0 || (words[0] & 1) == 0);
  }

  private void shift(long distance) {
    if (distance < 0) throw new IllegalStateException("the floor only grows, not by " + distance);
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
