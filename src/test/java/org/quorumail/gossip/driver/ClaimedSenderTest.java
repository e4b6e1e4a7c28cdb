package org.quorumail.gossip.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Prune;
import org.quorumail.gossip.plumtree.TreeId;
import org.quorumail.gossip.swim.SwimCodec;
import org.quorumail.gossip.swim.SwimMessage;
import org.quorumail.gossip.swim.SwimPacket;

class ClaimedSenderTest {
  private static final NodeId A = new NodeId("a");

  @Test
  void aBroadcastAndAProbeClaimTheirSender() {
    byte[] broadcast = new BroadcastFormat(A, 1_000).encode(new Prune(TreeId.OVERLAY_PATHS));
    assertThat(ClaimedSender.of(broadcast)).containsExactly("a");
    SwimMessage ping = new SwimMessage.Ping(1, new NodeId("b"), 1, A);
    assertThat(ClaimedSender.of(swim(ping))).containsExactly("a");
  }

  @Test
  void anAnswerAndMalformedBytesClaimNobody() {
    assertThat(ClaimedSender.of(swim(new SwimMessage.Nack(1)))).isEmpty();
    assertThat(ClaimedSender.of(new byte[0])).isEmpty();
    assertThat(ClaimedSender.of(new byte[] {9, 1, 'a'})).isEmpty();
    byte[] broadcast = new BroadcastFormat(A, 1_000).encode(new Prune(TreeId.OVERLAY_PATHS));
    assertThat(ClaimedSender.of(Arrays.copyOf(broadcast, 2))).isEmpty();
  }

  private static byte[] swim(SwimMessage message) {
    ByteBuffer bytes = SwimCodec.encode(SwimPacket.of(message));
    return ByteBuffer.allocate(1 + bytes.remaining())
        .put(SwimDriver.MESSAGE_KIND)
        .put(bytes)
        .array();
  }
}
