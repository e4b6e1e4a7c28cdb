package org.quorumail.gossip.driver;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.quorumail.gossip.transport.FrameBody;
import org.quorumail.gossip.transport.PeerAddress;
import org.quorumail.gossip.transport.Transport;

/**
 * The messages that the gossip thread sends in one turn, batched into as few datagrams as hold
 * them. Used by one thread.
 */
final class DatagramBatcher {
  private final Transport transport;
  private final Map<PeerAddress, Batch> batches = new LinkedHashMap<>();

  private static final class Batch {
    private final List<byte[]> messages = new ArrayList<>();
    private int length;
  }

  DatagramBatcher(Transport transport) {
    this.transport = transport;
  }

  /** Adds a message to the peer's datagram; a message longer than a datagram goes over a stream. */
  void add(PeerAddress to, byte[] message) {
    int length = message.length + FrameBody.MESSAGE_OVERHEAD;
    if (length > transport.datagramCapacity()) {
      transport.sendOverStream(to, message);
      return;
    }
    Batch batch = batches.computeIfAbsent(to, peer -> new Batch());
    if (batch.length + length > transport.datagramCapacity()) {
      transport.send(to, batch.messages);
      batch.messages.clear();
      batch.length = 0;
    }
    batch.messages.add(message);
    batch.length += length;
  }

  /** Sends all datagrams; called at the end of each turn. */
  void flush() {
    batches.forEach(
        (to, batch) -> {
          if (!batch.messages.isEmpty()) transport.send(to, batch.messages);
        });
    batches.clear();
  }
}
