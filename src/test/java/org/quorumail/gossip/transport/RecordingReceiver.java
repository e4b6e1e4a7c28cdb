package org.quorumail.gossip.transport;

import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.driver.ClaimedSender;

/** A receiver that records every call of its transport. */
class RecordingReceiver implements Transport.Receiver {
  final List<byte[]> messages = new CopyOnWriteArrayList<>();
  final List<NodeAddress> from = new CopyOnWriteArrayList<>();
  final List<DropReason> dropped = new CopyOnWriteArrayList<>();
  final List<PeerAddress> unreachable = new CopyOnWriteArrayList<>();
  final List<PeerAddress> refused = new CopyOnWriteArrayList<>();

  @Override
  public boolean onMessage(NodeAddress sender, byte[] message, boolean reliable) {
    from.add(sender);
    messages.add(message);
    return true;
  }

  @Override
  public Set<String> claimedSenders(byte[] message) {
    return ClaimedSender.of(message);
  }

  @Override
  public void onUnreachable(PeerAddress to) {
    unreachable.add(to);
  }

  @Override
  public void onAuthenticationFailed(PeerAddress by) {
    refused.add(by);
  }

  @Override
  public void onDropped(DropReason reason) {
    dropped.add(reason);
  }
}
