package org.quorumail.replication;

/** A place in a log: index and the term of the entry there. */
public record Position(long term, long index) implements Comparable<Position> {
  /** Before the first entry. */
  public static final Position NONE = new Position(0, -1);

  @Override
  public int compareTo(Position other) {
    return Long.compare(index, other.index);
  }
}
