package org.quorumail.mail;

import java.security.SecureRandom;
import java.time.Instant;
import java.util.Optional;

/**
 * The id of an accepted message: a ULID, 48 bits of milliseconds and 80 random bits, so that ids
 * sort by arrival and need no coordination. The text form has 26 characters of Crockford's base 32.
 */
public record QueueId(long high, long low) implements Comparable<QueueId> {
  public static final int BYTES = 16;
  public static final int TEXT_LENGTH = 26;

  private static final String ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  private static final SecureRandom RANDOM = new SecureRandom();

  /** A new id for a message that arrives at the given time. */
  public static QueueId generate(Instant now) {
    long random = RANDOM.nextLong();
    return new QueueId((now.toEpochMilli() << 16) | (random & 0xFFFF), RANDOM.nextLong());
  }

  /** Parses the text form, in any case; empty when it is malformed. */
  public static Optional<QueueId> parse(String text) {
    if (text.length() != TEXT_LENGTH) return Optional.empty();
    long high = 0;
    long low = 0;
    for (int i = 0; i < TEXT_LENGTH; i++) {
      int digit = ALPHABET.indexOf(Character.toUpperCase(text.charAt(i)));
      boolean overflows = i == 0 && digit > 7; // 26 × 5 bits are two more than 128
      if (digit < 0 || overflows) return Optional.empty();
      high = (high << 5) | (low >>> 59);
      low = (low << 5) | digit;
    }
    return Optional.of(new QueueId(high, low));
  }

  public Instant arrived() {
    return Instant.ofEpochMilli(high >>> 16);
  }

  @Override
  public int compareTo(QueueId other) {
    int byHigh = Long.compareUnsigned(high, other.high);
    return byHigh != 0 ? byHigh : Long.compareUnsigned(low, other.low);
  }

  @Override
  public String toString() {
    char[] text = new char[TEXT_LENGTH];
    long h = high;
    long l = low;
    for (int i = TEXT_LENGTH - 1; i >= 0; i--) {
      text[i] = ALPHABET.charAt((int) (l & 31));
      l = (l >>> 5) | (h << 59);
      h >>>= 5;
    }
    return new String(text);
  }
}
