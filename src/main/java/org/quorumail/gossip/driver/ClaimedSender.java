package org.quorumail.gossip.driver;

import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.swim.SwimCodec;
import org.quorumail.gossip.swim.SwimMessage;

/**
 * The sender that a message claims. A transport that proves node ids compares the claim with the
 * proven ids. Reports about other members are not claims.
 */
public final class ClaimedSender {
  private ClaimedSender() {}

  /** The claimed node ids; empty when the message claims no sender or is malformed. */
  public static Set<String> of(byte[] message) {
    Set<String> ids = new TreeSet<>();
    if (message.length == 0) return ids;
    if (message[0] == BroadcastFormat.MESSAGE_KIND) {
      BroadcastFormat.claimedSender(message).ifPresent(id -> ids.add(id.value()));
    } else if (message[0] == SwimDriver.MESSAGE_KIND) {
      ByteBuffer bytes = ByteBuffer.wrap(message, 1, message.length - 1).slice();
      if (SwimCodec.decode(bytes) instanceof SwimCodec.Decoded.Packet p) {
        for (SwimMessage m : p.packet().messages()) {
          senderOf(m).ifPresent(id -> ids.add(id.value()));
        }
      }
    }
    return ids;
  }

  private static Optional<NodeId> senderOf(SwimMessage message) {
    return switch (message) {
      case SwimMessage.Ping m -> Optional.of(m.source());
      case SwimMessage.PingReq m -> Optional.of(m.source());
      case SwimMessage.PushPullRequest m -> Optional.of(m.source().id());
      case SwimMessage.PushPullResponse m -> Optional.of(m.source().id());
      case SwimMessage.PushPullRows m -> Optional.of(m.source());
      case SwimMessage.Ack m -> Optional.empty();
      case SwimMessage.Nack m -> Optional.empty();
      case SwimMessage.MetadataRequest m -> Optional.empty();
      case SwimMessage.MetadataResponse m -> Optional.empty();
      case SwimMessage.Update m -> Optional.empty();
    };
  }
}
