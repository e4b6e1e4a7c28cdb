package org.quorumail.gossip.net;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.quorumail.gossip.MessageId;
import org.quorumail.gossip.Node;

/** Keeps what a node is told: broadcasts as origin and text, members by id. */
final class Ears implements GossipDelegate {
  final List<String> delivered = new CopyOnWriteArrayList<>();
  final List<String> down = new CopyOnWriteArrayList<>();
  final List<String> left = new CopyOnWriteArrayList<>();

  @Override
  public void onDeliver(MessageId id, byte[] payload) {
    delivered.add(id.origin() + ":" + new String(payload, StandardCharsets.UTF_8));
  }

  @Override
  public void onMemberDown(Node node) {
    down.add(node.id().value());
  }

  @Override
  public void onMemberLeft(Node node) {
    left.add(node.id().value());
  }
}
