package org.quorumail.gossip;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.quorumail.gossip.SwimMessage.Ack;
import org.quorumail.gossip.SwimMessage.Alive;
import org.quorumail.gossip.SwimMessage.Dead;
import org.quorumail.gossip.SwimMessage.Left;
import org.quorumail.gossip.SwimMessage.MetaReply;
import org.quorumail.gossip.SwimMessage.MetaRequest;
import org.quorumail.gossip.SwimMessage.Nack;
import org.quorumail.gossip.SwimMessage.Ping;
import org.quorumail.gossip.SwimMessage.PingReq;
import org.quorumail.gossip.SwimMessage.PushPullRequest;
import org.quorumail.gossip.SwimMessage.PushPullResponse;
import org.quorumail.gossip.SwimMessage.PushPullRows;
import org.quorumail.gossip.SwimMessage.Suspect;

/**
 * SWIM's bytes. A packet is the version (1), then messages up to its end; a message is its type and
 * its fields. Numbers are unsigned base-128 varints (low group first, at most 63 bits), an id is a
 * length byte and its characters, an address is 4 or 6 (IPv4 or IPv6), the raw bytes and two of
 * port, a member is what {@link MemberFormat} says. Whatever comes from outside gives a {@link
 * Decoded}; nothing is thrown.
 */
public final class SwimCodec {
  public static final byte VERSION = 1;

  /** One page of rows (about 700 KiB) or one metadata (64 KiB) is the largest frame. */
  public static final int MAX_FRAME_BYTES = 1024 * 1024;

  /** Bytes of a packet besides its messages. */
  static final int HEADER_BYTES = 1;

  /** No datagram of 1,400 bytes holds more: the shortest message has two bytes. */
  private static final int MAX_MESSAGES = 1_024;

  private SwimCodec() {}

  /** What bytes from the network turned out to be. */
  public sealed interface Decoded {
    record Packet(SwimPacket packet) implements Decoded {}

    /** Not ours, or damaged: to be dropped and counted, never answered. */
    record Malformed(String reason) implements Decoded {}
  }

  private static final int PING = 1;
  private static final int PING_REQ = 2;
  private static final int ACK = 3;
  private static final int NACK = 4;
  private static final int ALIVE = 5;
  private static final int SUSPECT = 6;
  private static final int DEAD = 7;
  private static final int LEFT = 8;
  private static final int PUSH_PULL_REQUEST = 9;
  private static final int PUSH_PULL_RESPONSE = 10;
  private static final int PUSH_PULL_ROWS = 11;
  private static final int META_REQUEST = 12;
  private static final int META_REPLY = 13;

  /** The length that {@link #encode} will give. */
  public static int size(SwimPacket packet) {
    int size = HEADER_BYTES;
    for (SwimMessage message : packet.messages()) size += size(message);
    return size;
  }

  /** The packet's bytes, ready to be read. */
  public static ByteBuffer encode(SwimPacket packet) {
    ByteBuffer out = ByteBuffer.allocate(size(packet));
    out.put(VERSION);
    for (SwimMessage message : packet.messages()) write(out, message);
    return out.flip();
  }

  /** Reads all that remains of the buffer, which is left as it was. */
  public static Decoded decode(ByteBuffer bytes) {
    if (bytes.remaining() > MAX_FRAME_BYTES) return new Decoded.Malformed("too long");
    WireReader in = new WireReader(bytes.duplicate());
    try {
      int version = in.octet();
      if (version != VERSION) return new Decoded.Malformed("version " + version);
      List<SwimMessage> messages = new ArrayList<>();
      while (in.hasMore()) {
        if (messages.size() == MAX_MESSAGES) return new Decoded.Malformed("too many messages");
        messages.add(read(in));
      }
      return new Decoded.Packet(new SwimPacket(messages));
    } catch (WireReader.Malformed e) {
      return new Decoded.Malformed(e.reason());
    }
  }

  static int size(SwimMessage message) {
    return 1
        + switch (message) {
          case Ping m ->
              number(m.sequence()) + id(m.target()) + number(m.incarnation()) + id(m.source());
          case PingReq m ->
              number(m.sequence())
                  + id(m.target().id())
                  + address(m.target().address())
                  + number(m.target().incarnation())
                  + id(m.source())
                  + number(m.windowMillis());
          case Ack m -> number(m.sequence());
          case Nack m -> number(m.sequence());
          case Alive m -> MemberFormat.size(m.node());
          case Suspect m -> id(m.subject()) + number(m.incarnation()) + id(m.accuser());
          case Dead m -> id(m.subject()) + number(m.incarnation()) + id(m.accuser());
          case Left m -> id(m.subject()) + number(m.incarnation());
          case PushPullRequest m ->
              number(m.sequence())
                  + MemberFormat.size(m.source())
                  + number(m.digests().size())
                  + 8 * m.digests().size();
          case PushPullResponse m ->
              number(m.sequence())
                  + MemberFormat.size(m.source())
                  + number(m.buckets())
                  + number(m.differing().size())
                  + 2 * m.differing().size()
                  + 1
                  + MemberFormat.size(m.members());
          case PushPullRows m -> id(m.source()) + MemberFormat.size(m.members());
          case MetaRequest m -> id(m.subject()) + 8;
          case MetaReply m -> id(m.subject()) + MemberFormat.size(m.meta());
        };
  }

  private static void write(ByteBuffer out, SwimMessage message) {
    switch (message) {
      case Ping m -> {
        type(out, PING);
        WireWriter.number(out, m.sequence());
        WireWriter.id(out, m.target());
        WireWriter.number(out, m.incarnation());
        WireWriter.id(out, m.source());
      }
      case PingReq m -> {
        type(out, PING_REQ);
        WireWriter.number(out, m.sequence());
        WireWriter.id(out, m.target().id());
        WireWriter.address(out, m.target().address());
        WireWriter.number(out, m.target().incarnation());
        WireWriter.id(out, m.source());
        WireWriter.number(out, m.windowMillis());
      }
      case Ack m -> {
        type(out, ACK);
        WireWriter.number(out, m.sequence());
      }
      case Nack m -> {
        type(out, NACK);
        WireWriter.number(out, m.sequence());
      }
      case Alive m -> {
        type(out, ALIVE);
        MemberFormat.writeNode(out, m.node());
      }
      case Suspect m -> {
        type(out, SUSPECT);
        writeAccusation(out, m.subject(), m.incarnation(), m.accuser());
      }
      case Dead m -> {
        type(out, DEAD);
        writeAccusation(out, m.subject(), m.incarnation(), m.accuser());
      }
      case Left m -> {
        type(out, LEFT);
        WireWriter.id(out, m.subject());
        WireWriter.number(out, m.incarnation());
      }
      case PushPullRequest m -> {
        type(out, PUSH_PULL_REQUEST);
        WireWriter.number(out, m.sequence());
        MemberFormat.writeNode(out, m.source());
        WireWriter.number(out, m.digests().size());
        for (long digest : m.digests()) out.putLong(digest);
      }
      case PushPullResponse m -> {
        type(out, PUSH_PULL_RESPONSE);
        WireWriter.number(out, m.sequence());
        MemberFormat.writeNode(out, m.source());
        WireWriter.number(out, m.buckets());
        WireWriter.number(out, m.differing().size());
        for (int bucket : m.differing()) out.putShort((short) bucket);
        out.put((byte) (m.last() ? 1 : 0));
        MemberFormat.writeRows(out, m.members());
      }
      case PushPullRows m -> {
        type(out, PUSH_PULL_ROWS);
        WireWriter.id(out, m.source());
        MemberFormat.writeRows(out, m.members());
      }
      case MetaRequest m -> {
        type(out, META_REQUEST);
        WireWriter.id(out, m.subject());
        out.putLong(m.digest());
      }
      case MetaReply m -> {
        type(out, META_REPLY);
        WireWriter.id(out, m.subject());
        MemberFormat.writeWholeMeta(out, m.meta());
      }
    }
  }

  private static SwimMessage read(WireReader in) throws WireReader.Malformed {
    return switch (in.octet()) {
      case PING -> new Ping(in.number(), in.id(), in.number(), in.id());
      case PING_REQ -> readPingReq(in);
      case ACK -> new Ack(in.number());
      case NACK -> new Nack(in.number());
      case ALIVE -> new Alive(MemberFormat.readNode(in));
      case SUSPECT -> new Suspect(in.id(), in.number(), in.id());
      case DEAD -> new Dead(in.id(), in.number(), in.id());
      case LEFT -> new Left(in.id(), in.number());
      case PUSH_PULL_REQUEST -> readPushPullRequest(in);
      case PUSH_PULL_RESPONSE -> readPushPullResponse(in);
      case PUSH_PULL_ROWS -> new PushPullRows(in.id(), MemberFormat.readRows(in));
      case META_REQUEST -> new MetaRequest(in.id(), in.fixed64());
      case META_REPLY -> new MetaReply(in.id(), MemberFormat.readWholeMeta(in));
      default -> throw new WireReader.Malformed("unknown message type");
    };
  }

  private static PingReq readPingReq(WireReader in) throws WireReader.Malformed {
    long sequence = in.number();
    Node target = new Node(in.id(), in.address(), in.number(), Meta.EMPTY);
    // longer than any preset's window at the worst local health, so that a helper's timer is bound
    return new PingReq(sequence, target, in.id(), in.number(120_000));
  }

  private static PushPullRequest readPushPullRequest(WireReader in) throws WireReader.Malformed {
    long sequence = in.number();
    Node source = MemberFormat.readNode(in);
    int count = in.number(PushPullRequest.MAX_BUCKETS);
    if (Integer.bitCount(count) != 1) throw new WireReader.Malformed("number of digests");
    List<Long> digests = new ArrayList<>(count);
    for (int i = 0; i < count; i++) digests.add(in.fixed64());
    return new PushPullRequest(sequence, source, digests);
  }

  private static PushPullResponse readPushPullResponse(WireReader in) throws WireReader.Malformed {
    long sequence = in.number();
    Node source = MemberFormat.readNode(in);
    int buckets = in.number(PushPullRequest.MAX_BUCKETS);
    if (Integer.bitCount(buckets) != 1) throw new WireReader.Malformed("number of buckets");
    int count = in.number(buckets);
    List<Integer> differing = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      int bucket = in.fixed16();
      if (bucket >= buckets) throw new WireReader.Malformed("bucket " + bucket);
      differing.add(bucket);
    }
    boolean last = in.octet() != 0;
    return new PushPullResponse(
        sequence, source, buckets, differing, last, MemberFormat.readRows(in));
  }

  private static void type(ByteBuffer out, int type) {
    out.put((byte) type);
  }

  private static void writeAccusation(ByteBuffer out, NodeId of, long incarnation, NodeId by) {
    WireWriter.id(out, of);
    WireWriter.number(out, incarnation);
    WireWriter.id(out, by);
  }

  private static int id(NodeId id) {
    return WireWriter.size(id);
  }

  private static int address(Address address) {
    return WireWriter.size(address);
  }

  private static int number(long value) {
    return WireWriter.size(value);
  }
}
