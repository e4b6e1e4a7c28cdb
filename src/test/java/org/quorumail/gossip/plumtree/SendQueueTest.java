package org.quorumail.gossip.plumtree;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Announcement;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Gossip;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Graft;
import org.quorumail.gossip.plumtree.PlumtreeMessage.IHave;
import org.quorumail.gossip.plumtree.PlumtreeMessage.NotFound;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Prune;
import org.quorumail.gossip.plumtree.PlumtreeMessage.SyncPush;

class SendQueueTest {
  private static final NodeId ORIGIN = new NodeId("o");

  private final PlumtreeCounters counters = new PlumtreeCounters();
  private final SendQueue queue = new SendQueue(PriorityConfig.standard(), 100_000, counters);

  @Test
  void aGraftNeverWaitsBehindPayload() {
    for (int i = 1; i <= 100; i++) queue.add(payload(i, 100));
    queue.add(graft());
    assertThat(queue.poll()).contains(graft());
  }

  @Test
  void noClassStarves() {
    for (int i = 1; i <= 50; i++) queue.add(graft());
    for (int i = 1; i <= 50; i++) queue.add(payload(i, 1));
    queue.add(new Prune(TreeId.OVERLAY_PATHS));
    List<PlumtreeMessage> first = new ArrayList<>();
    for (int i = 0; i < 13; i++) queue.poll().ifPresent(first::add);
    assertThat(first).filteredOn(Graft.class::isInstance).hasSize(8);
    assertThat(first).filteredOn(Gossip.class::isInstance).hasSize(4);
    assertThat(first).filteredOn(Prune.class::isInstance).hasSize(1);
  }

  @Test
  void aClassThatIsNotReadyDelaysNoOther() {
    for (int i = 1; i <= 50; i++) queue.add(payload(i, 1));
    for (int i = 1; i <= 20; i++) queue.add(new Prune(new TreeId("t" + i)));
    for (int i = 1; i <= 20; i++) {
      assertThat(queue.poll(p -> p == SendPriority.LOW)).containsInstanceOf(Prune.class);
    }
    assertThat(queue.poll(p -> p == SendPriority.LOW)).isEmpty();
    assertThat(queue.size()).isEqualTo(50);
  }

  @Test
  void aFullClassDropsItsOldestMessageOnly() {
    for (int i = 1; i <= 300; i++) queue.add(payload(i, 1));
    queue.add(graft());
    assertThat(queue.size()).isEqualTo(257);
    assertThat(counters.count(PlumtreeMetric.PRIORITY_DROPPED)).isEqualTo(44);
    queue.poll();
    assertThat(queue.poll()).map(m -> ((Gossip) m).id().sequence()).contains(45L);
  }

  @Test
  void bytesAreBoundedToo() {
    for (int i = 1; i <= 10; i++) queue.add(payload(i, 30_000));
    assertThat(queue.bytes()).isLessThanOrEqualTo(100_000);
    assertThat(queue.size()).isEqualTo(3);
  }

  @Test
  void onlyPayloadsAreDroppedForPayloads() {
    queue.add(graft());
    queue.add(new Prune(TreeId.OVERLAY_PATHS));
    queue.add(payload(1, 150_000));
    queue.add(new Graft(TreeId.OVERLAY_PATHS, Optional.of(id(2))));
    queue.add(new NotFound(id(3)));
    assertThat(queue.size()).as("a payload above the bound is kept alone").isEqualTo(5);
    queue.add(payload(2, 10));
    assertThat(queue.size()).isEqualTo(5);
    assertThat(queue.bytes()).isEqualTo(10);
  }

  @Test
  void payloadsForAComparisonAreDroppedForNewOnes() {
    for (int i = 1; i <= 3; i++) queue.add(new SyncPush(List.of(payload(i, 30_000))));
    for (int i = 4; i <= 6; i++) queue.add(payload(i, 30_000));
    List<PlumtreeMessage> waiting = new ArrayList<>();
    while (!queue.isEmpty()) queue.poll().ifPresent(waiting::add);
    assertThat(waiting).hasSize(3).allMatch(Gossip.class::isInstance);
  }

  @Test
  void announcementsAreMergedAndAPruneIsNotRepeated() {
    for (int i = 1; i <= 40; i++) {
      queue.add(new IHave(List.of(new Announcement(TreeId.OVERLAY_PATHS, id(i), 1))));
    }
    queue.add(new Prune(TreeId.OVERLAY_PATHS));
    queue.add(new Prune(TreeId.OVERLAY_PATHS));
    assertThat(queue.size()).isEqualTo(2);
    assertThat(queue.poll()).map(m -> ((IHave) m).announcements().size()).contains(40);
  }

  private static Graft graft() {
    return new Graft(TreeId.OVERLAY_PATHS, Optional.of(id(1)));
  }

  private static Gossip payload(long sequence, int size) {
    return new Gossip(TreeId.OVERLAY_PATHS, id(sequence), 0, new byte[size]);
  }

  private static BroadcastId id(long sequence) {
    return new BroadcastId(ORIGIN, 1, sequence);
  }
}
