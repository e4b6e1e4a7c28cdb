package org.quorumail.gossip.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.junit.jupiter.api.Test;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.driver.InputQueue.Input;
import org.quorumail.gossip.transport.PeerAddress;

class InputQueueTest {
  private static final NodeAddress PEER = NodeAddress.ipv4(0x7f000001, 7946);

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final InputQueue inputs =
      new InputQueue(new MemberDirectory(), new GossipMetrics(registry, false));

  @Test
  void queuedMessagesAreBoundedByBytesAndPollingMakesRoomAgain() {
    byte[] message = new byte[8 << 20];
    assertThat(fill(message)).isEqualTo(4);
    assertThat(inputs.poll()).isInstanceOf(Input.ReceivedMessage.class);
    assertThat(fill(message)).isEqualTo(1);
    while (inputs.poll() != null) {
      // drains the queue
    }
    assertThat(fill(message)).as("all bytes are released").isEqualTo(4);
  }

  @Test
  void oneMessageMayExceedTheBoundOfBytesAlone() {
    assertThat(inputs.onMessage(PEER, new byte[40 << 20], true)).isTrue();
    assertThat(inputs.onMessage(PEER, new byte[1], true)).isFalse();
  }

  @Test
  void aFullQueueRejectsTasksAndCountsUnreachablePeers() {
    int tasks = 0;
    while (inputs.submit(() -> {})) tasks++;
    assertThat(tasks).isEqualTo(8_192);
    inputs.onUnreachable(new PeerAddress(PEER, "b"));
    double dropped =
        registry.get("gossip.frames.dropped").tag("reason", "queue_full").counter().count();
    assertThat(dropped).isEqualTo(1);
  }

  @Test
  void aClosedQueueTakesNoTasks() {
    assertThat(inputs.submit(() -> {})).isTrue();
    inputs.close();
    assertThat(inputs.submit(() -> {})).isFalse();
  }

  private int fill(byte[] message) {
    int taken = 0;
    while (inputs.onMessage(PEER, message, true)) taken++;
    return taken;
  }
}
