package org.quorumail.gossip.plumtree;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.NodeId;
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
 * Messages as bytes: a version, a type, then the fields. Numbers are unsigned LEB128, texts are
 * ASCII behind a length byte, lists stand behind a count. Ids of one origin in a row name it once.
 *
 * <p>Every length is checked against its bound before anything is allocated; what does not fit is a
 * {@link Malformed} value, never an exception.
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

  /** A path longer than any network's diameter is a lie or a loop. */
  public static final int MAX_HOPS = 1_024;

  /** What is left of a message beside its payload never needs more. */
  private static final int MAX_HEADER = 256;

  private final int maxMessageSize;

  /**
   * @param maxMessageSize of a payload, in bytes
   */
  public PlumtreeCodec(int maxMessageSize) {
    this.maxMessageSize = maxMessageSize;
  }

  /** What bytes turned out to be. */
  public sealed interface Decoded {}

  public record Message(PlumtreeMessage message) implements Decoded {}

  /**
   * @param reason a few words for the log, without any of the bytes
   */
  public record Malformed(String reason) implements Decoded {}

  /** The bytes of a message, ready to be read. */
  public ByteBuffer encode(PlumtreeMessage message) {
    PlumtreeWriter out = new PlumtreeWriter();
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
        out.text(m.tree().root());
        out.octet(m.id().isPresent() ? 1 : 0);
        m.id().ifPresent(wanted -> BroadcastIdCodec.write(out, wanted, null, false));
      }
      case Prune m -> {
        out.octet('P');
        out.text(m.tree().root());
      }
      case NotFound m -> {
        out.octet('F');
        BroadcastIdCodec.write(out, m.id(), null, false);
      }
      case Neighbour m -> {
        out.octet('N');
        out.octet(m.answer() ? 1 : 0);
      }
      case Disconnect m -> out.octet('D');
      case SyncRequest m -> {
        out.octet('S');
        range(out, m.range());
        out.word(m.digest());
      }
      case SyncDigest m -> {
        out.octet('V');
        range(out, m.range());
        out.octet(m.equal() ? 1 : 0);
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
    return out.finish();
  }

  /** Reads the whole buffer as one message. */
  public Decoded decode(ByteBuffer bytes) {
    PlumtreeReader in = new PlumtreeReader(bytes);
    try {
      int version = in.octet();
      if (version != VERSION) return new Malformed("version " + version);
      PlumtreeMessage message = message(in);
      if (in.hasMore()) return new Malformed("bytes behind the message");
      return new Message(message);
    } catch (PlumtreeReader.MalformedException e) {
      return new Malformed(String.valueOf(e.getMessage()));
    }
  }

  /** The greatest number of bytes that one message has when encoded. */
  public int maxEncodedSize() {
    return Math.max(maxMessageSize + MAX_HEADER, 64 * 1024);
  }

  private PlumtreeMessage message(PlumtreeReader in) throws PlumtreeReader.MalformedException {
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
      case 'S' -> new SyncRequest(range(in), in.word());
      case 'V' -> {
        SyncRange range = range(in);
        boolean equal = in.flag();
        int count = in.count(MAX_STATES);
        List<OriginState> states = new ArrayList<>(count);
        for (int i = 0; i < count; i++) states.add(state(in));
        yield new SyncDigest(range, equal, List.copyOf(states));
      }
      case 'Q' -> new SyncPull(BroadcastIdCodec.readAll(in, MAX_PULL));
      case 'U' -> {
        int count = in.count(MAX_PUSH);
        List<Gossip> messages = new ArrayList<>(count);
        for (int i = 0; i < count; i++) messages.add(gossip(in));
        yield new SyncPush(List.copyOf(messages));
      }
      default -> throw new PlumtreeReader.MalformedException("unknown type");
    };
  }

  private static void gossip(PlumtreeWriter out, Gossip m) {
    BroadcastIdCodec.write(out, m.id(), null, m.tree().isOverlayPaths());
    out.number(m.hop());
    out.number(m.payload().length);
    out.bytes(m.payload());
  }

  private Gossip gossip(PlumtreeReader in) throws PlumtreeReader.MalformedException {
    BroadcastIdCodec.RoutedId id = BroadcastIdCodec.read(in, null);
    int hop = in.count(MAX_HOPS);
    byte[] payload = in.bytes(in.count(maxMessageSize));
    return new Gossip(id.tree(), id.id(), hop, payload);
  }

  private static IHave iHave(PlumtreeReader in) throws PlumtreeReader.MalformedException {
    int count = in.count(MAX_IDS);
    List<Announcement> lines = new ArrayList<>(count);
    @Nullable BroadcastId previous = null;
    for (int i = 0; i < count; i++) {
      BroadcastIdCodec.RoutedId id = BroadcastIdCodec.read(in, previous);
      lines.add(new Announcement(id.tree(), id.id(), in.count(MAX_HOPS)));
      previous = id.id();
    }
    return new IHave(List.copyOf(lines));
  }

  private static TreeId tree(PlumtreeReader in) throws PlumtreeReader.MalformedException {
    String root = in.nameOrEmpty();
    return root.isEmpty() ? TreeId.OVERLAY_PATHS : new TreeId(root);
  }

  private static void range(PlumtreeWriter out, SyncRange range) {
    out.text(range.after());
    out.text(range.upTo());
  }

  private static SyncRange range(PlumtreeReader in) throws PlumtreeReader.MalformedException {
    return new SyncRange(in.nameOrEmpty(), in.nameOrEmpty());
  }

  private static void state(PlumtreeWriter out, OriginState state) {
    out.text(state.origin().value());
    out.number(state.incarnation());
    out.number(state.oldest());
    out.number(state.floor());
    out.number(state.words().length);
    for (long word : state.words()) out.word(word);
  }

  private static OriginState state(PlumtreeReader in) throws PlumtreeReader.MalformedException {
    NodeId origin = in.node();
    long incarnation = in.number();
    long oldest = in.number();
    long floor = in.number();
    long[] words = new long[in.count(SequenceWindow.MAX_WORDS)];
    for (int i = 0; i < words.length; i++) words[i] = in.word();
    return new OriginState(origin, incarnation, oldest, floor, words);
  }
}
