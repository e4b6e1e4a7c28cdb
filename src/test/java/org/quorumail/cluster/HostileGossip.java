package org.quorumail.cluster;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.plumtree.BroadcastId;
import org.quorumail.gossip.plumtree.Plumtree;
import org.quorumail.gossip.plumtree.PlumtreeCodec;
import org.quorumail.gossip.plumtree.PlumtreeConfig;
import org.quorumail.gossip.plumtree.PlumtreeCounters;
import org.quorumail.gossip.swim.NodeMetadata;
import org.quorumail.gossip.swim.Swim;
import org.quorumail.gossip.swim.SwimCodec;
import org.quorumail.gossip.swim.SwimConfig;
import org.quorumail.gossip.swim.SwimMember;
import org.quorumail.gossip.transport.HostileFrames;

/**
 * A target of Jazzer: gossip from a stranger (a frame) and from a hostile member (all that a frame
 * can carry). The first octet chooses the reader: frame, body of a frame, membership, broadcast,
 * payload of a broadcast, metadata of a member.
 */
public final class HostileGossip {
  private static final NodeId SELF = new NodeId("self");
  private static final NodeId PEER = new NodeId("a");
  private static final NodeAddress FROM = NodeAddress.ipv4(0x7f000001, 7946);
  private static final long NOW = 1_000;
  private static final int MAX_PAYLOAD = 64 << 10;
  private static final PlumtreeCodec BROADCASTS = new PlumtreeCodec(MAX_PAYLOAD);

  private HostileGossip() {}

  public static void fuzzerTestOneInput(byte[] input) {
    accepts(input);
  }

  /** Reads the input, and returns whether its reader accepted it. */
  public static boolean accepts(byte[] input) {
    if (input.length == 0) return false;
    byte[] rest = Arrays.copyOfRange(input, 1, input.length);
    return switch (Math.floorMod(input[0], 6)) {
      case 0 -> HostileFrames.opens(rest);
      case 1 -> HostileFrames.readsBody(rest);
      case 2 -> membership(rest);
      case 3 -> broadcast(rest);
      case 4 -> payload(rest);
      default -> metadata(rest);
    };
  }

  private static boolean membership(byte[] bytes) {
    if (!(SwimCodec.decode(ByteBuffer.wrap(bytes)) instanceof SwimCodec.Decoded.Packet decoded)) {
      return false;
    }
    ByteBuffer again = SwimCodec.encode(decoded.packet());
    if (!SwimCodec.decode(again).equals(decoded)) {
      throw new IllegalStateException("not read as it is written: " + decoded);
    }
    SwimMember self = new SwimMember(SELF, FROM, 1, NodeMetadata.of(new byte[0]));
    Swim core = new Swim(SwimConfig.lan(), self, new SplittableRandom(1), NOW);
    for (boolean reliable : new boolean[] {false, true}) {
      core.handle(FROM, decoded.packet(), reliable, NOW);
      core.tick(NOW + 1);
    }
    return true;
  }

  private static boolean broadcast(byte[] bytes) {
    if (!(BROADCASTS.decode(ByteBuffer.wrap(bytes)) instanceof PlumtreeCodec.Message decoded)) {
      return false;
    }
    ByteBuffer again = BROADCASTS.encode(decoded.message());
    if (!(BROADCASTS.decode(again) instanceof PlumtreeCodec.Message)) {
      throw new IllegalStateException("not read as it is written: " + decoded);
    }
    Plumtree core =
        new Plumtree(
            SELF, "", 1, PlumtreeConfig.lan(), new SplittableRandom(1), new PlumtreeCounters(), 0);
    core.neighbourUp(PEER, "", NOW);
    core.onMessage(PEER, decoded.message(), NOW);
    core.tick(NOW + 1);
    core.violation()
        .ifPresent(
            violation -> {
              throw new IllegalStateException(violation);
            });
    return true;
  }

  private static boolean payload(byte[] bytes) {
    ClusterEventLog events = new ClusterEventLog();
    GossipEventHandler handler = new GossipEventHandler(SELF::value, events);
    handler.onDeliver(new BroadcastId(PEER, 1, 1), bytes);
    return handler.load(PEER).isPresent() || events.last() > 0;
  }

  /** Metadata are used as the member list, the formation and the load use them. */
  private static boolean metadata(byte[] bytes) {
    Optional<MemberMetadata> read = GossipMembership.decode(bytes);
    if (read.isEmpty()) return false;
    MemberMetadata metadata = read.get();
    if (GossipMembership.encode(metadata).length == 0) throw new IllegalStateException("nothing");
    String text =
        metadata.nodeId()
            + metadata.peerId()
            + metadata.host()
            + metadata.region()
            + metadata.zone();
    List<Formation.Member> formed = metadata.formed();
    formed.forEach(member -> check(!member.toString().isEmpty()));
    check(text.length() <= MemberMetadata.MAX_BYTES);
    check(metadata.load().version().length() <= MemberMetadata.MAX_BYTES);
    return true;
  }

  private static void check(boolean condition) {
    if (!condition) throw new IllegalStateException("a bound is broken");
  }
}
