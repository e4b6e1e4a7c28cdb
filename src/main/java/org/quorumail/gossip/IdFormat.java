package org.quorumail.gossip;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How ids of messages stand in those of {@link PlumtreeCodec}: flags, then origin, incarnation and
 * sequence; behind an id of the same life of an origin the sequence alone.
 */
final class IdFormat {
  private IdFormat() {}

  /** A message has no other tree than its origin's. */
  record Identified(MessageId id, boolean charted) {
    TreeId tree() {
      return charted ? TreeId.CHARTED : TreeId.of(id.origin());
    }
  }

  private static final int CHARTED = 1;
  private static final int SAME_SOURCE = 2;

  static void writeAll(PlumtreeWriter out, List<MessageId> ids) {
    out.number(ids.size());
    @Nullable MessageId previous = null;
    for (MessageId id : ids) {
      write(out, id, previous, false);
      previous = id;
    }
  }

  static List<MessageId> readAll(PlumtreeReader in, int max)
      throws PlumtreeReader.MalformedException {
    int count = in.count(max);
    List<MessageId> ids = new ArrayList<>(count);
    @Nullable MessageId previous = null;
    for (int i = 0; i < count; i++) {
      previous = readBare(in, previous);
      ids.add(previous);
    }
    return List.copyOf(ids);
  }

  static void write(
      PlumtreeWriter out, MessageId id, @Nullable MessageId previous, boolean charted) {
    boolean same =
        previous != null
            && previous.incarnation() == id.incarnation()
            && previous.origin().equals(id.origin());
    out.octet((charted ? CHARTED : 0) | (same ? SAME_SOURCE : 0));
    if (!same) {
      out.text(id.origin().value());
      out.number(id.incarnation());
    }
    out.number(id.sequence());
  }

  static Identified read(PlumtreeReader in, @Nullable MessageId previous)
      throws PlumtreeReader.MalformedException {
    int flags = in.octet();
    if ((flags & ~(CHARTED | SAME_SOURCE)) != 0) {
      throw new PlumtreeReader.MalformedException("unknown flags");
    }
    NodeId origin;
    long incarnation;
    if ((flags & SAME_SOURCE) == 0) {
      origin = in.node();
      incarnation = in.number();
      if (previous != null
          && origin.equals(previous.origin())
          && incarnation == previous.incarnation()) {
        throw new PlumtreeReader.MalformedException("origin named again");
      }
    } else if (previous != null) {
      origin = previous.origin();
      incarnation = previous.incarnation();
    } else {
      throw new PlumtreeReader.MalformedException("no previous id");
    }
    long sequence = in.number();
    if (sequence < 1) throw new PlumtreeReader.MalformedException("sequence 0");
    return new Identified(new MessageId(origin, incarnation, sequence), (flags & CHARTED) != 0);
  }

  /** An id where no tree is told. */
  static MessageId readBare(PlumtreeReader in, @Nullable MessageId previous)
      throws PlumtreeReader.MalformedException {
    Identified id = read(in, previous);
    if (id.charted) throw new PlumtreeReader.MalformedException("unknown flags");
    return id.id;
  }
}
