package org.quorumail.gossip;

/** One life of one origin: what a sequence counts in. */
record Source(NodeId origin, long incarnation) implements Comparable<Source> {
  static Source of(MessageId id) {
    return new Source(id.origin(), id.incarnation());
  }

  @Override
  public int hashCode() {
    return origin.hashCode() * 31 + Long.hashCode(incarnation);
  }

  @Override
  public int compareTo(Source other) {
    int byOrigin = origin.compareTo(other.origin);
    return byOrigin != 0 ? byOrigin : Long.compare(incarnation, other.incarnation);
  }
}
