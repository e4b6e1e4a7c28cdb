package org.quorumail.gossip.driver;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.quorumail.gossip.plumtree.BroadcastId;
import org.quorumail.gossip.swim.SwimMember;

/** A delegate that records broadcasts as origin and text, and members by id. */
final class RecordingDelegate implements GossipDelegate {
  final List<String> delivered = new CopyOnWriteArrayList<>();
  final List<String> down = new CopyOnWriteArrayList<>();
  final List<String> left = new CopyOnWriteArrayList<>();

  @Override
  public void onDeliver(BroadcastId id, byte[] payload) {
    delivered.add(id.origin() + ":" + new String(payload, StandardCharsets.UTF_8));
  }

  @Override
  public void onMemberDown(SwimMember node) {
    down.add(node.id().value());
  }

  @Override
  public void onMemberLeft(SwimMember node) {
    left.add(node.id().value());
  }
}
