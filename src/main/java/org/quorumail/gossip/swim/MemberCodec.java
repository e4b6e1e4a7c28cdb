package org.quorumail.gossip.swim;

import java.util.ArrayList;
import java.util.List;
import org.quorumail.gossip.WireReader;
import org.quorumail.gossip.WireWriter;
import org.quorumail.gossip.swim.SwimMessage.MemberRow;
import org.quorumail.gossip.swim.SwimMessage.PushPullRows;

/**
 * The encoding of a member in the messages of {@link SwimCodec}: id, address, incarnation,
 * metadata. Metadata is a form byte (0: the bytes follow, 1: only their digest does), a length, and
 * the bytes or the digest. Whole metadata is a length and the bytes. A row of a view is the code of
 * a state in front of a member. A page is the number of its rows in front of them.
 */
final class MemberCodec {
  private static final int METADATA_BYTES = 0;
  private static final int METADATA_DIGEST = 1;

  private MemberCodec() {}

  static List<MemberRow> readRows(WireReader in) throws WireReader.MalformedException {
    int count = in.number(PushPullRows.MAX_ROWS);
    List<MemberRow> rows = new ArrayList<>(Math.min(count, in.remaining()));
    for (int i = 0; i < count; i++) {
      MemberState state = MemberState.ofCode(in.octet());
      if (state == null) throw new WireReader.MalformedException("state of a row");
      rows.add(new MemberRow(readMember(in), state));
    }
    return rows;
  }

  static SwimMember readMember(WireReader in) throws WireReader.MalformedException {
    return new SwimMember(in.id(), in.address(), in.number(), readMetadata(in));
  }

  private static NodeMetadata readMetadata(WireReader in) throws WireReader.MalformedException {
    int form = in.octet();
    return switch (form) {
      case METADATA_BYTES -> NodeMetadata.of(in.bytes(in.number(NodeMetadata.MAX_IN_GOSSIP)));
      case METADATA_DIGEST ->
          NodeMetadata.digestOnly(in.number(NodeMetadata.MAX_LENGTH), in.fixed64());
      default -> throw new WireReader.MalformedException("form of metadata " + form);
    };
  }

  static NodeMetadata readWholeMetadata(WireReader in) throws WireReader.MalformedException {
    return NodeMetadata.of(in.bytes(in.number(NodeMetadata.MAX_LENGTH)));
  }

  static void writeRows(WireWriter out, List<MemberRow> rows) {
    out.number(rows.size());
    for (MemberRow row : rows) {
      out.octet(row.state().code());
      writeMember(out, row.member());
    }
  }

  static void writeMember(WireWriter out, SwimMember node) {
    out.id(node.id());
    out.address(node.address());
    out.number(node.incarnation());
    NodeMetadata meta = node.metadata();
    boolean inline = isInline(meta);
    out.octet((inline ? METADATA_BYTES : METADATA_DIGEST));
    out.number(meta.length());
    if (inline) out.bytes(meta.bytes());
    else out.fixed64(meta.digest());
  }

  static void writeWholeMetadata(WireWriter out, NodeMetadata meta) {
    out.number(meta.length());
    out.bytes(meta.bytes());
  }

  private static boolean isInline(NodeMetadata meta) {
    return meta.isPresent() && meta.fitsGossip();
  }

  static int size(List<MemberRow> rows) {
    int size = WireWriter.size(rows.size());
    for (MemberRow row : rows) size += 1 + size(row.member());
    return size;
  }

  static int size(SwimMember node) {
    NodeMetadata meta = node.metadata();
    return WireWriter.size(node.id())
        + WireWriter.size(node.address())
        + WireWriter.size(node.incarnation())
        + 1
        + WireWriter.size(meta.length())
        + (isInline(meta) ? meta.length() : 8);
  }

  /** The size of whole metadata. */
  static int size(NodeMetadata meta) {
    return WireWriter.size(meta.length()) + meta.length();
  }
}
