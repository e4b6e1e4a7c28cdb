package org.quorumail.gossip.transport;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.driver.BroadcastFormat;
import org.quorumail.gossip.driver.NeighbourQueue;
import org.quorumail.gossip.plumtree.BroadcastId;
import org.quorumail.gossip.plumtree.PlumtreeCounters;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Gossip;
import org.quorumail.gossip.plumtree.PlumtreeMetric;
import org.quorumail.gossip.plumtree.PriorityConfig;
import org.quorumail.gossip.plumtree.SendQueue;
import org.quorumail.gossip.plumtree.TreeId;

/** The messages and addresses of both transports' tests; all are on loopback and sent by "a". */
final class TestMessages {
  static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();

  private TestMessages() {}

  static PeerAddress peer(Transport transport, String name) {
    return new PeerAddress(address(transport.port()), name);
  }

  static NodeAddress address(int port) {
    return SocketAddresses.toNodeAddress(new InetSocketAddress(LOOPBACK, port));
  }

  static byte[] text(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static byte[] noise(long seed, int length) {
    byte[] noise = new byte[length];
    new Random(seed).nextBytes(noise);
    return noise;
  }

  static BroadcastId id(long sequence) {
    return new BroadcastId(new NodeId("a"), 1, sequence);
  }

  /** A payload of 60,000 incompressible bytes. */
  static Gossip payload(long sequence) {
    return new Gossip(TreeId.OVERLAY_PATHS, id(sequence), 0, noise(sequence, 60_000));
  }

  /**
   * Adds payloads until the connection, the network and the queue are full.
   *
   * @return the sequence of the last
   */
  static int untilNothingIsTaken(NeighbourQueue queue, PlumtreeCounters tally)
      throws InterruptedException {
    int last = 0;
    long before;
    do {
      before = tally.count(PlumtreeMetric.PRIORITY_DEQUEUED);
      for (int i = 0; i < 100; i++) queue.add(payload(++last));
      Thread.sleep(300); // the absence of an event cannot be awaited
    } while (queue.size() == 0 || tally.count(PlumtreeMetric.PRIORITY_DEQUEUED) != before);
    return last;
  }

  static NeighbourQueue queue(PlumtreeCounters tally) {
    SendQueue queue = new SendQueue(PriorityConfig.standard(), 1 << 20, tally);
    return new NeighbourQueue(queue, new BroadcastFormat(new NodeId("a"), 64 << 10));
  }
}
