package org.quorumail.gossip.swim;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.WireReader;
import org.quorumail.gossip.WireWriter;
import org.quorumail.gossip.swim.SwimMessage.Ack;
import org.quorumail.gossip.swim.SwimMessage.Alive;
import org.quorumail.gossip.swim.SwimMessage.Dead;
import org.quorumail.gossip.swim.SwimMessage.Left;
import org.quorumail.gossip.swim.SwimMessage.MetadataRequest;
import org.quorumail.gossip.swim.SwimMessage.MetadataResponse;
import org.quorumail.gossip.swim.SwimMessage.Nack;
import org.quorumail.gossip.swim.SwimMessage.Ping;
import org.quorumail.gossip.swim.SwimMessage.PingReq;
import org.quorumail.gossip.swim.SwimMessage.PushPullRequest;
import org.quorumail.gossip.swim.SwimMessage.PushPullResponse;
import org.quorumail.gossip.swim.SwimMessage.PushPullRows;
import org.quorumail.gossip.swim.SwimMessage.Suspect;

/**
 * The encoding of SWIM's packets. A packet is the version (1), then messages up to its end; a
 * message is its type and its fields. Numbers are unsigned base-128 varints (low group first, at
 * most 63 bits). An id is a length byte and its characters. An address is 4 or 6 (IPv4 or IPv6),
 * the raw bytes and two bytes of port. {@link MemberCodec} describes a member. Decoding untrusted
 * bytes gives a {@link Decoded} and throws nothing.
 */
public final class SwimCodec {
  public static final byte VERSION = 1;

  /** The largest frame: one page of rows (about 700 KiB) is longer than whole metadata (64 KiB). */
  public static final int MAX_FRAME_BYTES = 1024 * 1024;

  /** The bytes of a packet besides its messages. */
  static final int HEADER_BYTES = 1;

  /** More than a datagram of 1,400 bytes holds: the shortest message has two bytes. */
  private static final int MAX_MESSAGES = 1_024;

  private SwimCodec() {}

  /** The result of decoding. */
  public sealed interface Decoded {
    record Packet(SwimPacket packet) implements Decoded {}

    /** Foreign or damaged bytes, which are dropped and counted, never answered. */
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

  /** The number of bytes that {@link #encode} returns. */
  public static int size(SwimPacket packet) {
    int size = HEADER_BYTES;
    for (SwimMessage message : packet.messages()) size += size(message);
    return size;
  }

  /** Encodes a packet; the buffer is ready to be read. */
  public static ByteBuffer encode(SwimPacket packet) {
    WireWriter out = new WireWriter(size(packet));
    out.octet(VERSION);
    for (SwimMessage message : packet.messages()) write(out, message);
    return out.toBuffer();
  }

  /** Decodes all that remains of the buffer, and leaves the buffer as it was. */
  public static Decoded decode(ByteBuffer bytes) {
    if (bytes.remaining() > MAX_FRAME_BYTES) return new Decoded.Malformed("too long");
    WireReader in = new WireReader(bytes);
    try {
      int version = in.octet();
      if (version != VERSION) return new Decoded.Malformed("version " + version);
      List<SwimMessage> messages = new ArrayList<>();
      while (in.hasMore()) {
        if (messages.size() == MAX_MESSAGES) return new Decoded.Malformed("too many messages");
        messages.add(read(in));
      }
      return new Decoded.Packet(new SwimPacket(messages));
    } catch (WireReader.MalformedException e) {
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
          case Alive m -> MemberCodec.size(m.member());
          case Suspect m -> id(m.subject()) + number(m.incarnation()) + id(m.accuser());
          case Dead m -> id(m.subject()) + number(m.incarnation()) + id(m.accuser());
          case Left m -> id(m.subject()) + number(m.incarnation());
          case PushPullRequest m ->
              number(m.sequence())
                  + MemberCodec.size(m.source())
                  + number(m.digests().size())
                  + 8 * m.digests().size();
          case PushPullResponse m ->
              number(m.sequence())
                  + MemberCodec.size(m.source())
                  + number(m.buckets())
                  + number(m.differing().size())
                  + 2 * m.differing().size()
                  + 1
                  + MemberCodec.size(m.members());
          case PushPullRows m -> id(m.source()) + MemberCodec.size(m.members());
          case MetadataRequest m -> id(m.subject()) + 8;
          case MetadataResponse m -> id(m.subject()) + MemberCodec.size(m.metadata());
        };
  }

  private static void write(WireWriter out, SwimMessage message) {
    switch (message) {
      case Ping m -> {
        out.octet(PING);
        out.number(m.sequence());
        out.id(m.target());
        out.number(m.incarnation());
        out.id(m.source());
      }
      case PingReq m -> {
        out.octet(PING_REQ);
        out.number(m.sequence());
        out.id(m.target().id());
        out.address(m.target().address());
        out.number(m.target().incarnation());
        out.id(m.source());
        out.number(m.windowMillis());
      }
      case Ack m -> {
        out.octet(ACK);
        out.number(m.sequence());
      }
      case Nack m -> {
        out.octet(NACK);
        out.number(m.sequence());
      }
      case Alive m -> {
        out.octet(ALIVE);
        MemberCodec.writeMember(out, m.member());
      }
      case Suspect m -> {
        out.octet(SUSPECT);
        writeAccusation(out, m.subject(), m.incarnation(), m.accuser());
      }
      case Dead m -> {
        out.octet(DEAD);
        writeAccusation(out, m.subject(), m.incarnation(), m.accuser());
      }
      case Left m -> {
        out.octet(LEFT);
        out.id(m.subject());
        out.number(m.incarnation());
      }
      case PushPullRequest m -> {
        out.octet(PUSH_PULL_REQUEST);
        out.number(m.sequence());
        MemberCodec.writeMember(out, m.source());
        out.number(m.digests().size());
        for (long digest : m.digests()) out.fixed64(digest);
      }
      case PushPullResponse m -> {
        out.octet(PUSH_PULL_RESPONSE);
        out.number(m.sequence());
        MemberCodec.writeMember(out, m.source());
        out.number(m.buckets());
        out.number(m.differing().size());
        for (int bucket : m.differing()) out.fixed16(bucket);
        out.flag(m.last());
        MemberCodec.writeRows(out, m.members());
      }
      case PushPullRows m -> {
        out.octet(PUSH_PULL_ROWS);
        out.id(m.source());
        MemberCodec.writeRows(out, m.members());
      }
      case MetadataRequest m -> {
        out.octet(META_REQUEST);
        out.id(m.subject());
        out.fixed64(m.digest());
      }
      case MetadataResponse m -> {
        out.octet(META_REPLY);
        out.id(m.subject());
        MemberCodec.writeWholeMetadata(out, m.metadata());
      }
    }
  }

  private static SwimMessage read(WireReader in) throws WireReader.MalformedException {
    return switch (in.octet()) {
      case PING -> new Ping(in.number(), in.id(), in.number(), in.id());
      case PING_REQ -> readPingReq(in);
      case ACK -> new Ack(in.number());
      case NACK -> new Nack(in.number());
      case ALIVE -> new Alive(MemberCodec.readMember(in));
      case SUSPECT -> new Suspect(in.id(), in.number(), in.id());
      case DEAD -> new Dead(in.id(), in.number(), in.id());
      case LEFT -> new Left(in.id(), in.number());
      case PUSH_PULL_REQUEST -> readPushPullRequest(in);
      case PUSH_PULL_RESPONSE -> readPushPullResponse(in);
      case PUSH_PULL_ROWS -> new PushPullRows(in.id(), MemberCodec.readRows(in));
      case META_REQUEST -> new MetadataRequest(in.id(), in.fixed64());
      case META_REPLY -> new MetadataResponse(in.id(), MemberCodec.readWholeMetadata(in));
      default -> throw new WireReader.MalformedException("unknown message type");
    };
  }

  private static PingReq readPingReq(WireReader in) throws WireReader.MalformedException {
    long sequence = in.number();
    SwimMember target = new SwimMember(in.id(), in.address(), in.number(), NodeMetadata.EMPTY);
    // above any preset's window at the worst local health; it bounds a helper's timer
    return new PingReq(sequence, target, in.id(), in.number(120_000));
  }

  private static PushPullRequest readPushPullRequest(WireReader in)
      throws WireReader.MalformedException {
    long sequence = in.number();
    SwimMember source = MemberCodec.readMember(in);
    int count = in.number(PushPullRequest.MAX_BUCKETS);
    if (Integer.bitCount(count) != 1) throw new WireReader.MalformedException("number of digests");
    List<Long> digests = new ArrayList<>(count);
    for (int i = 0; i < count; i++) digests.add(in.fixed64());
    return new PushPullRequest(sequence, source, digests);
  }

  private static PushPullResponse readPushPullResponse(WireReader in)
      throws WireReader.MalformedException {
    long sequence = in.number();
    SwimMember source = MemberCodec.readMember(in);
    int buckets = in.number(PushPullRequest.MAX_BUCKETS);
    if (Integer.bitCount(buckets) != 1)
      throw new WireReader.MalformedException("number of buckets");
    int count = in.number(buckets);
    List<Integer> differing = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      int bucket = in.fixed16();
      if (bucket >= buckets) throw new WireReader.MalformedException("bucket " + bucket);
      differing.add(bucket);
    }
    boolean last = in.flag();
    return new PushPullResponse(
        sequence, source, buckets, differing, last, MemberCodec.readRows(in));
  }

  private static void writeAccusation(WireWriter out, NodeId of, long incarnation, NodeId by) {
    out.id(of);
    out.number(incarnation);
    out.id(by);
  }

  private static int id(NodeId id) {
    return WireWriter.size(id);
  }

  private static int address(NodeAddress address) {
    return WireWriter.size(address);
  }

  private static int number(long value) {
    return WireWriter.size(value);
  }
}
