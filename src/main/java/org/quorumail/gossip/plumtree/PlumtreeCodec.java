package org.quorumail.gossip.plumtree;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.WireReader;
import org.quorumail.gossip.WireWriter;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Announcement;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Disconnect;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Gossip;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Graft;
import org.quorumail.gossip.plumtree.PlumtreeMessage.IHave;
import org.quorumail.gossip.plumtree.PlumtreeMessage.IHaveAck;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Neighbour;
import org.quorumail.gossip.plumtree.PlumtreeMessage.NotFound;
import org.quorumail.gossip.plumtree.PlumtreeMessage.OriginState;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Prune;
import org.quorumail.gossip.plumtree.PlumtreeMessage.SyncDigest;
import org.quorumail.gossip.plumtree.PlumtreeMessage.SyncPull;
import org.quorumail.gossip.plumtree.PlumtreeMessage.SyncPush;
import org.quorumail.gossip.plumtree.PlumtreeMessage.SyncRange;
import org.quorumail.gossip.plumtree.PlumtreeMessage.SyncRequest;

/**
 * The encoding of Plumtree's messages: a version, a type, then the fields. Numbers are unsigned
 * LEB128, texts are ASCII behind a length byte, lists stand behind a count. Consecutive ids of one
 * origin name it once.
 *
 * <p>Every length is checked against its bound before memory is allocated. Decoding untrusted bytes
 * gives a {@link Malformed} value, never an exception.
 */
public final class PlumtreeCodec {
  public static final int VERSION = 1;

  /** Ids in one IHave or IHaveAck. */
  public static final int MAX_IDS = 64;

  /** Ids in one SyncPull. */
  public static final int MAX_PULL = 100;

  /** Messages in one SyncPush. */
  public static final int MAX_PUSH = 50;

  /** Origins in one SyncDigest. */
  public static final int MAX_STATES = 256;

  /** Longer than the diameter of any network: more hops show a loop or a forged message. */
  public static final int MAX_HOPS = 1_024;

  /** The bound of a message without its payload. */
  private static final int MAX_HEADER = 256;

  /** Enough for most messages without payload. */
  private static final int USUAL_SIZE = 64;

  private final int maxMessageSize;

  /**
   * @param maxMessageSize the bound of a payload in bytes
   */
  public PlumtreeCodec(int maxMessageSize) {
    this.maxMessageSize = maxMessageSize;
  }

  /** The result of decoding. */
  public sealed interface Decoded {}

  public record Message(PlumtreeMessage message) implements Decoded {}

  /**
   * Foreign or damaged bytes, which are dropped and counted.
   *
   * @param reason a few words for the log, without any of the bytes
   */
  public record Malformed(String reason) implements Decoded {}

  /** Encodes a message; the buffer is ready to be read. */
  public ByteBuffer encode(PlumtreeMessage message) {
    WireWriter out = new WireWriter(USUAL_SIZE);
    out.octet(VERSION);
    switch (message) {
      case Gossip m -> {
        out.octet('G');
        gossip(out, m);
      }
      case IHave m -> {
        out.octet('I');
        out.number(m.announcements().size());
        @Nullable BroadcastId previous = null;
        for (Announcement line : m.announcements()) {
          BroadcastIdCodec.write(out, line.id(), previous, line.tree().isOverlayPaths());
          out.number(line.hop());
          previous = line.id();
        }
      }
      case IHaveAck m -> {
        out.octet('A');
        BroadcastIdCodec.writeAll(out, m.ids());
      }
      case Graft m -> {
        out.octet('R');
        out.idOrEmpty(m.tree().root());
        out.flag(m.id().isPresent());
        m.id().ifPresent(wanted -> BroadcastIdCodec.write(out, wanted, null, false));
      }
      case Prune m -> {
        out.octet('P');
        out.idOrEmpty(m.tree().root());
      }
      case NotFound m -> {
        out.octet('F');
        BroadcastIdCodec.write(out, m.id(), null, false);
      }
      case Neighbour m -> {
        out.octet('N');
        out.flag(m.answer());
      }
      case Disconnect m -> out.octet('D');
      case SyncRequest m -> {
        out.octet('S');
        range(out, m.range());
        out.fixed64(m.digest());
      }
      case SyncDigest m -> {
        out.octet('V');
        range(out, m.range());
        out.flag(m.equal());
        out.number(m.states().size());
        for (OriginState state : m.states()) state(out, state);
      }
      case SyncPull m -> {
        out.octet('Q');
        BroadcastIdCodec.writeAll(out, m.ids());
      }
      case SyncPush m -> {
        out.octet('U');
        out.number(m.messages().size());
        for (Gossip pushed : m.messages()) gossip(out, pushed);
      }
    }
    return out.toBuffer();
  }

  /** Decodes the whole buffer as one message, and leaves the buffer as it was. */
  public Decoded decode(ByteBuffer bytes) {
    WireReader in = new WireReader(bytes);
    try {
      int version = in.octet();
      if (version != VERSION) return new Malformed("version " + version);
      PlumtreeMessage message = message(in);
      if (in.hasMore()) return new Malformed("bytes behind the message");
      return new Message(message);
    } catch (WireReader.MalformedException e) {
      return new Malformed(e.reason());
    }
  }

  /** The bound of an encoded message in bytes. */
  public int maxEncodedSize() {
    return Math.max(maxMessageSize + MAX_HEADER, 64 * 1024);
  }

  private PlumtreeMessage message(WireReader in) throws WireReader.MalformedException {
    return switch (in.octet()) {
      case 'G' -> gossip(in);
      case 'I' -> iHave(in);
      case 'A' -> new IHaveAck(BroadcastIdCodec.readAll(in, MAX_IDS));
      case 'R' -> {
        TreeId tree = tree(in);
        yield new Graft(
            tree, in.flag() ? Optional.of(BroadcastIdCodec.readBare(in, null)) : Optional.empty());
      }
      case 'P' -> new Prune(tree(in));
      case 'F' -> new NotFound(BroadcastIdCodec.readBare(in, null));
      case 'N' -> new Neighbour(in.flag());
      case 'D' -> new Disconnect();
      case 'S' -> new SyncRequest(range(in), in.fixed64());
      case 'V' -> {
        SyncRange range = range(in);
        boolean equal = in.flag();
        int count = in.number(MAX_STATES);
        List<OriginState> states = new ArrayList<>(count);
        for (int i = 0; i < count; i++) states.add(state(in));
        yield new SyncDigest(range, equal, List.copyOf(states));
      }
      case 'Q' -> new SyncPull(BroadcastIdCodec.readAll(in, MAX_PULL));
      case 'U' -> {
        int count = in.number(MAX_PUSH);
        List<Gossip> messages = new ArrayList<>(count);
        for (int i = 0; i < count; i++) messages.add(gossip(in));
        yield new SyncPush(List.copyOf(messages));
      }
      default -> throw new WireReader.MalformedException("unknown type");
    };
  }

  private static void gossip(WireWriter out, Gossip m) {
    BroadcastIdCodec.write(out, m.id(), null, m.tree().isOverlayPaths());
    out.number(m.hop());
    out.number(m.payload().length);
    out.bytes(m.payload());
  }

  private Gossip gossip(WireReader in) throws WireReader.MalformedException {
    BroadcastIdCodec.RoutedId id = BroadcastIdCodec.read(in, null);
    int hop = in.number(MAX_HOPS);
    byte[] payload = in.bytes(in.number(maxMessageSize));
    return new Gossip(id.tree(), id.id(), hop, payload);
  }

  private static IHave iHave(WireReader in) throws WireReader.MalformedException {
    int count = in.number(MAX_IDS);
    List<Announcement> lines = new ArrayList<>(count);
    @Nullable BroadcastId previous = null;
    for (int i = 0; i < count; i++) {
      BroadcastIdCodec.RoutedId id = BroadcastIdCodec.read(in, previous);
      lines.add(new Announcement(id.tree(), id.id(), in.number(MAX_HOPS)));
      previous = id.id();
    }
    return new IHave(List.copyOf(lines));
  }

  private static TreeId tree(WireReader in) throws WireReader.MalformedException {
    String root = in.idOrEmpty();
    return root.isEmpty() ? TreeId.OVERLAY_PATHS : new TreeId(root);
  }

  private static void range(WireWriter out, SyncRange range) {
    out.idOrEmpty(range.after());
    out.idOrEmpty(range.upTo());
  }

  private static SyncRange range(WireReader in) throws WireReader.MalformedException {
    return new SyncRange(in.idOrEmpty(), in.idOrEmpty());
  }

  private static void state(WireWriter out, OriginState state) {
    out.id(state.origin());
    out.number(state.incarnation());
    out.number(state.oldest());
    out.number(state.floor());
    out.number(state.words().length);
    for (long word : state.words()) out.fixed64(word);
  }

  private static OriginState state(WireReader in) throws WireReader.MalformedException {
    NodeId origin = in.id();
    long incarnation = in.number();
    long oldest = in.number();
    long floor = in.number();
    long[] words = new long[in.number(SequenceWindow.MAX_WORDS)];
    for (int i = 0; i < words.length; i++) words[i] = in.fixed64();
    return new OriginState(origin, incarnation, oldest, floor, words);
  }
}
