package org.quorumail.gossip.net;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.quorumail.gossip.Address;
import org.quorumail.gossip.net.Transport.Peer;

/** Keeps what a transport tells. */
class Inbox implements Transport.Receiver {
  final List<byte[]> messages = new CopyOnWriteArrayList<>();
  final List<Address> from = new CopyOnWriteArrayList<>();
  final List<DropReason> dropped = new CopyOnWriteArrayList<>();
  final List<Peer> unreachable = new CopyOnWriteArrayList<>();
  final List<Peer> refused = new CopyOnWriteArrayList<>();

  @Override
  public boolean received(Address sender, byte[] message, boolean reliable) {
    from.add(sender);
    messages.add(message);
    return true;
  }

  @Override
  public void unreachable(Peer to) {
    unreachable.add(to);
  }

  @Override
  public void refused(Peer by) {
    refused.add(by);
  }

  @Override
  public void dropped(DropReason reason) {
    dropped.add(reason);
  }
}
