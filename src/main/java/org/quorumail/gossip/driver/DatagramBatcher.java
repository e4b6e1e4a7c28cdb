package org.quorumail.gossip.driver;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.quorumail.gossip.transport.FrameBody;
import org.quorumail.gossip.transport.PeerAddress;
import org.quorumail.gossip.transport.Transport;

/**
 * What the gossip thread wants to send in one turn, put together into as few datagrams as hold it.
 * Used by one thread.
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

  /** Sends what fits into a datagram as one; anything longer over a stream. */
  void add(PeerAddress to, byte[] message) {
    int length = message.length + FrameBody.MESSAGE_OVERHEAD;
    if (length > transport.datagramCapacity()) {
      transport.sendOverStream(to, message);
      return;
    }
    Batch load = batches.computeIfAbsent(to, peer -> new Batch());
    if (load.length + length > transport.datagramCapacity()) {
      transport.send(to, load.messages);
      load.messages.clear();
      load.length = 0;
    }
    load.messages.add(message);
    load.length += length;
  }

  /** To be called at the end of each turn. */
  void flush() {
    batches.forEach(
        (to, load) -> {
          if (!load.messages.isEmpty()) transport.send(to, load.messages);
        });
    batches.clear();
  }
}
