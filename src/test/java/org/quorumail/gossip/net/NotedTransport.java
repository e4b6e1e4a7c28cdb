package org.quorumail.gossip.net;

import java.util.ArrayList;
import java.util.List;

/** A transport that notes what it is asked for. */
final class NotedTransport implements Transport {
  final List<Peer> kept = new ArrayList<>();
  final List<Peer> released = new ArrayList<>();
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
  public void send(Peer to, List<byte[]> messages) {
    datagrams++;
  }

  @Override
  public void sendReliably(Peer to, byte[] message) {
    streams++;
  }

  @Override
  public void keep(Peer neighbour, NeighbourQueue queue) {
    kept.add(neighbour);
  }

  @Override
  public void release(Peer neighbour) {
    released.add(neighbour);
  }

  @Override
  public int datagramBudget() {
    return 10_000;
  }

  @Override
  public void use(KeyRing ring) {}

  @Override
  public void close() {}
}
