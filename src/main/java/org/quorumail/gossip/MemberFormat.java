package org.quorumail.gossip;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.quorumail.gossip.SwimMessage.MemberRecord;
import org.quorumail.gossip.SwimMessage.PushPullRows;

/**
 * A member as it stands in messages of {@link SwimCodec}: id, address, incarnation, metadata. That
 * is a form byte (0: its bytes follow, 1: only their digest does), its length, and that; alone it
 * is a length and the bytes. A row of a view is the code of a state in front of a member, a page
 * the number of its rows in front of them.
 */
final class MemberFormat {
  private static final int META_BYTES = 0;
  private static final int META_DIGEST = 1;

  private MemberFormat() {}

  static List<MemberRecord> readRows(WireReader in) throws WireReader.Malformed {
    int count = in.number(PushPullRows.MAX_ROWS);
    List<MemberRecord> rows = new ArrayList<>(Math.min(count, in.remaining()));
    for (int i = 0; i < count; i++) {
      MemberState state = MemberState.ofCode(in.octet());
      if (state == null) throw new WireReader.Malformed("state of a row");
      rows.add(new MemberRecord(readNode(in), state));
    }
    return rows;
  }

  static Node readNode(WireReader in) throws WireReader.Malformed {
    return new Node(in.id(), in.address(), in.number(), readMeta(in));
  }

  private static Meta readMeta(WireReader in) throws WireReader.Malformed {
    int form = in.octet();
    return switch (form) {
      case META_BYTES -> Meta.of(in.bytes(in.number(Meta.MAX_IN_GOSSIP)));
      case META_DIGEST -> Meta.elsewhere(in.number(Meta.MAX_LENGTH), in.fixed64());
      default -> throw new WireReader.Malformed("form of metadata " + form);
    };
  }

  static Meta readWholeMeta(WireReader in) throws WireReader.Malformed {
    return Meta.of(in.bytes(in.number(Meta.MAX_LENGTH)));
  }

  static void writeRows(ByteBuffer out, List<MemberRecord> rows) {
    WireWriter.number(out, rows.size());
    for (MemberRecord row : rows) {
      out.put((byte) row.state().code());
      writeNode(out, row.node());
    }
  }

  static void writeNode(ByteBuffer out, Node node) {
    WireWriter.id(out, node.id());
    WireWriter.address(out, node.address());
    WireWriter.number(out, node.incarnation());
    Meta meta = node.meta();
    boolean inline = isInline(meta);
    out.put((byte) (inline ? META_BYTES : META_DIGEST));
    WireWriter.number(out, meta.length());
    if (inline) out.put(meta.bytes());
    else out.putLong(meta.digest());
  }

  static void writeWholeMeta(ByteBuffer out, Meta meta) {
    WireWriter.number(out, meta.length());
    out.put(meta.bytes());
  }

  private static boolean isInline(Meta meta) {
    return meta.isPresent() && meta.fitsGossip();
  }

  static int size(List<MemberRecord> rows) {
    int size = WireWriter.size(rows.size());
    for (MemberRecord row : rows) size += 1 + size(row.node());
    return size;
  }

  static int size(Node node) {
    Meta meta = node.meta();
    return WireWriter.size(node.id())
        + WireWriter.size(node.address())
        + WireWriter.size(node.incarnation())
        + 1
        + WireWriter.size(meta.length())
        + (isInline(meta) ? meta.length() : 8);
  }

  /** Of metadata alone. */
  static int size(Meta meta) {
    return WireWriter.size(meta.length()) + meta.length();
  }
}
