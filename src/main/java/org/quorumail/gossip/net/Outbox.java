package org.quorumail.gossip.net;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.quorumail.gossip.net.Transport.Peer;

/**
 * What the gossip thread wants to send in one turn, put together into as few datagrams as hold it.
 * Used by one thread.
 */
final class Outbox {
  private final Transport transport;
  private final Map<Peer, Waiting> waiting = new LinkedHashMap<>();

  private static final class Waiting {
    private final List<byte[]> messages = new ArrayList<>();
    private int length;
  }

  Outbox(Transport transport) {
    this.transport = transport;
  }

  /** Sends what fits into a datagram as one; anything longer over a stream. */
  void add(Peer to, byte[] message) {
    int length = message.length + Body.PER_MESSAGE;
    if (length > transport.datagramCapacity()) {
      transport.sendReliably(to, message);
      return;
    }
    Waiting load = waiting.computeIfAbsent(to, peer -> new Waiting());
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
    waiting.forEach(
        (to, load) -> {
          if (!load.messages.isEmpty()) transport.send(to, load.messages);
        });
    waiting.clear();
  }
}
