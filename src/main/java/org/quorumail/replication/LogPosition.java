package org.quorumail.replication;

/** A position in a log: the index, and the term of the entry there. */
public record LogPosition(long term, long index) implements Comparable<LogPosition> {
  /** Before the first entry. */
  public static final LogPosition NONE = new LogPosition(0, -1);

  @Override
  public int compareTo(LogPosition other) {
    return Long.compare(index, other.index);
  }
}
