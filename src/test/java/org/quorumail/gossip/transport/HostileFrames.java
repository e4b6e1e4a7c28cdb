package org.quorumail.gossip.transport;

import java.nio.ByteBuffer;
import java.time.Clock;
import java.util.Optional;
import java.util.Set;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.transport.Opener.OpenResult;

/** The readers of gossip's frames, for {@code org.quorumail.cluster.HostileGossip}. */
public final class HostileFrames {
  private static final int MAX_DECOMPRESSED = 64 << 10;
  private static final NodeAddress FROM = NodeAddress.ipv4(0x7f000001, 7946);

  private HostileFrames() {}

  /** Opens a frame of a stranger; nobody without the secret can make one that opens. */
  public static boolean opens(byte[] frame) {
    Opener opener = new Opener(SealTest.ring("one", 1), "b", Clock.systemUTC());
    boolean datagram =
        opener.open(FrameFormat.DATAGRAM, ByteBuffer.wrap(frame)) instanceof OpenResult.Payload;
    boolean hello =
        opener.open(FrameFormat.STREAM_HELLO, ByteBuffer.wrap(frame)) instanceof OpenResult.Payload;
    if (opener.senderCount() > 0) throw new IllegalStateException("a stranger is remembered");
    return datagram || hello;
  }

  /** Reads the body of a frame of node {@code a}, and returns whether all its messages came. */
  public static boolean readsBody(byte[] body) {
    RecordingReceiver receiver = new RecordingReceiver();
    boolean read = receiver.onBody(FROM, Optional.of(Set.of("a")), body, MAX_DECOMPRESSED, true);
    long octets = receiver.messages.stream().mapToLong(m -> m.length).sum();
    if (octets > MAX_DECOMPRESSED + body.length) {
      throw new IllegalStateException(octets + " octets of " + body.length);
    }
    return read && !receiver.messages.isEmpty();
  }
}
