package org.quorumail.gossip.plumtree;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.WireReader;
import org.quorumail.gossip.WireWriter;

/**
 * The encoding of ids in the messages of {@link PlumtreeCodec}: flags, then origin, incarnation and
 * sequence. An id of the same source as the previous one has flags and sequence only.
 */
final class BroadcastIdCodec {
  private BroadcastIdCodec() {}

  /** An id with the path of its message: its origin's tree, or the overlay paths. */
  record RoutedId(BroadcastId id, boolean overlayPaths) {
    TreeId tree() {
      return overlayPaths ? TreeId.OVERLAY_PATHS : TreeId.of(id.origin());
    }
  }

  private static final int OVERLAY_PATHS = 1;
  private static final int SAME_SOURCE = 2;

  static void writeAll(WireWriter out, List<BroadcastId> ids) {
    out.number(ids.size());
    @Nullable BroadcastId previous = null;
    for (BroadcastId id : ids) {
      write(out, id, previous, false);
      previous = id;
    }
  }

  static List<BroadcastId> readAll(WireReader in, int max) throws WireReader.MalformedException {
    int count = in.number(max);
    List<BroadcastId> ids = new ArrayList<>(count);
    @Nullable BroadcastId previous = null;
    for (int i = 0; i < count; i++) {
      previous = readBare(in, previous);
      ids.add(previous);
    }
    return List.copyOf(ids);
  }

  static void write(
      WireWriter out, BroadcastId id, @Nullable BroadcastId previous, boolean overlayPaths) {
    boolean same =
        previous != null
            && previous.incarnation() == id.incarnation()
            && previous.origin().equals(id.origin());
    out.octet((overlayPaths ? OVERLAY_PATHS : 0) | (same ? SAME_SOURCE : 0));
    if (!same) {
      out.id(id.origin());
      out.number(id.incarnation());
    }
    out.number(id.sequence());
  }

  static RoutedId read(WireReader in, @Nullable BroadcastId previous)
      throws WireReader.MalformedException {
    int flags = in.octet();
    if ((flags & ~(OVERLAY_PATHS | SAME_SOURCE)) != 0) {
      throw new WireReader.MalformedException("unknown flags");
    }
    NodeId origin;
    long incarnation;
    if ((flags & SAME_SOURCE) == 0) {
      origin = in.id();
      incarnation = in.number();
      if (previous != null
          && origin.equals(previous.origin())
          && incarnation == previous.incarnation()) {
        throw new WireReader.MalformedException("origin named again");
      }
    } else if (previous != null) {
      origin = previous.origin();
      incarnation = previous.incarnation();
    } else {
      throw new WireReader.MalformedException("no previous id");
    }
    long sequence = in.number();
    if (sequence < 1) throw new WireReader.MalformedException("sequence 0");
    return new RoutedId(
        new BroadcastId(origin, incarnation, sequence), (flags & OVERLAY_PATHS) != 0);
  }

  /** Reads an id without a path. */
  static BroadcastId readBare(WireReader in, @Nullable BroadcastId previous)
      throws WireReader.MalformedException {
    RoutedId id = read(in, previous);
    if (id.overlayPaths) throw new WireReader.MalformedException("unknown flags");
    return id.id;
  }
}
