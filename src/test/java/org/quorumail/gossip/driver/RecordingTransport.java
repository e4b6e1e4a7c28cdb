package org.quorumail.gossip.driver;

import java.util.ArrayList;
import java.util.List;
import org.quorumail.gossip.transport.KeyRing;
import org.quorumail.gossip.transport.OutboundQueue;
import org.quorumail.gossip.transport.PeerAddress;
import org.quorumail.gossip.transport.Transport;

/** A transport that records its calls. */
final class RecordingTransport implements Transport {
  final List<PeerAddress> kept = new ArrayList<>();
  final List<PeerAddress> released = new ArrayList<>();
  int datagrams;
  int streams;

  @Override
  public int port() {
    return 1;
  }

  @Override
  public int datagramCapacity() {
    return 1_300;
  }

  @Override
  public void send(PeerAddress to, List<byte[]> messages) {
    datagrams++;
  }

  @Override
  public void sendOverStream(PeerAddress to, byte[] message) {
    streams++;
  }

  @Override
  public void connect(PeerAddress neighbour, OutboundQueue queue) {
    kept.add(neighbour);
  }

  @Override
  public void disconnect(PeerAddress neighbour) {
    released.add(neighbour);
  }

  @Override
  public int datagramBudget() {
    return 10_000;
  }

  @Override
  public void replaceKeys(KeyRing ring) {}

  @Override
  public void close() {}
}
