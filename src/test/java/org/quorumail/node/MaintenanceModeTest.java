package org.quorumail.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.api.MaintenanceView.MaintenanceOrder;
import org.quorumail.api.MaintenanceView.MaintenanceStatus;

class MaintenanceModeTest {
  @TempDir Path folder;
  private final List<String> calls = new ArrayList<>();
  private final FakeNode node = new FakeNode();
  private final Clock clock = Clock.fixed(Instant.parse("2026-11-21T00:00:00Z"), ZoneOffset.UTC);
  private long now = 1_000;
  private MaintenanceMode mode;

  @BeforeEach
  void start() throws Exception {
    mode = new MaintenanceMode(folder.resolve("maintenance.json"), node, clock, () -> now);
  }

  @Test
  void aSpoolMovesOnceNoTransactionAndNoAttemptRuns() {
    node.transactions = 1;
    node.deliveries = 2;
    assertThat(enter("new disk").state()).isEqualTo("draining");
    assertThat(calls)
        .containsExactly("show new disk", "stopIntake", "stopDeliveries", "MaintenanceEntered");
    calls.clear();
    mode.step();
    assertThat(calls)
        .as("no mail is in the meta group")
        .containsExactly("endIdleSessions", "handOver meta to any");
    assertThat(mode.maintenance().waitingFor()).containsExactly("transactions: 1", "deliveries: 2");
    node.transactions = 0;
    mode.step();
    node.deliveries = 0;
    assertThat(mode.maintenance().state()).isEqualTo("draining");
    assertThat(calls).doesNotContain("handOver spool-a to any");
    calls.clear();
    mode.step();
    assertThat(calls)
        .containsExactly(
            "endIdleSessions",
            "RebalancingStarted",
            "handOver spool-a to any",
            "RebalancingCompleted true");
    MaintenanceStatus status = mode.maintenance();
    assertThat(status.state()).isEqualTo("maintenance");
    assertThat(status.reason()).isEqualTo("new disk");
    assertThat(status.since()).isEqualTo("2026-11-21T00:00:00Z");
    assertThat(status.leads()).isEmpty();
    assertThat(status.waitingFor()).isEmpty();
  }

  @Test
  void aGroupThatTheNodeIsElectedToLeadLaterMovesToo() {
    enter("");
    mode.step();
    node.led.add("spool-b");
    assertThat(mode.maintenance().state()).isEqualTo("draining");
    mode.step();
    assertThat(calls).contains("handOver spool-b to any");
    assertThat(mode.maintenance().state()).isEqualTo("maintenance");
  }

  @Test
  void aGroupWithoutASuccessorStaysAndIsNamed() {
    node.obstacles.put("spool-a", "b has not caught up");
    enter("");
    mode.step();
    mode.step();
    assertThat(mode.maintenance().state()).isEqualTo("draining");
    assertThat(mode.maintenance().waitingFor()).containsExactly("spool-a: b has not caught up");
    assertThat(calls)
        .as("a move that cannot begin is no event")
        .doesNotContain("RebalancingStarted");
    node.obstacles.clear();
    mode.step();
    assertThat(mode.maintenance().state()).isEqualTo("maintenance");
  }

  @Test
  void afterTheDrainTimeoutWorkIsCutOffAndWhatIsInDoubtIsWaitedFor() {
    node.transactions = 1;
    node.deliveries = 3;
    node.inDoubt = 1;
    mode.enterMaintenance(new MaintenanceOrder(Duration.ofMinutes(1), true, "", List.of("b")));
    now += Duration.ofSeconds(59).toNanos();
    mode.step();
    assertThat(calls).doesNotContain("closeSessions", "stopDots");
    now += Duration.ofSeconds(2).toNanos();
    mode.step();
    mode.step();
    assertThat(calls.stream().filter(c -> c.equals("closeSessions"))).hasSize(1);
    assertThat(calls).contains("stopDots").doesNotContain("handOver spool-a to b");
    assertThat(mode.maintenance().waitingFor()).containsExactly("deliveries: 1");
    node.inDoubt = 0;
    mode.step();
    assertThat(calls).contains("handOver spool-a to b");
    assertThat(mode.maintenance().state())
        .as("an attempt that may send no dot does no harm")
        .isEqualTo("maintenance");
  }

  @Test
  void withoutMigrationTheNodeGoesOnDelivering() {
    node.deliveries = 5;
    mode.enterMaintenance(new MaintenanceOrder(Duration.ofMinutes(1), false, "", List.of()));
    now += Duration.ofMinutes(2).toNanos();
    mode.step();
    assertThat(calls).contains("stopIntake").doesNotContain("stopDeliveries", "stopDots");
    assertThat(calls).noneMatch(c -> c.startsWith("handOver"));
    assertThat(mode.maintenance().state()).isEqualTo("maintenance");
  }

  @Test
  void theEndTakesUpAllWorkAgain() {
    enter("x");
    mode.step();
    calls.clear();
    assertThat(mode.exitMaintenance().state()).isEqualTo("active");
    assertThat(calls)
        .containsExactly("resumeIntake", "resumeDeliveries", "show null", "MaintenanceExited");
    calls.clear();
    mode.step();
    assertThat(calls).isEmpty();
    assertThat(mode.exitMaintenance().state()).as("again").isEqualTo("active");
    assertThat(calls).isEmpty();
    assertThat(folder.resolve("maintenance.json")).doesNotExist();
  }

  @Test
  void aNodeThatStopsSaysSo() {
    assertThat(mode.maintenance().state()).isEqualTo("active");
    node.stopping = true;
    assertThat(mode.maintenance().state()).as("others return no spool to it").isEqualTo("stopping");
  }

  @Test
  void aSecondOrderChangesNothing() {
    enter("first");
    calls.clear();
    assertThat(enter("second").reason()).isEqualTo("first");
    assertThat(calls).isEmpty();
  }

  @Test
  void maintenanceLastsOverARestart() throws Exception {
    mode.enterMaintenance(
        new MaintenanceOrder(Duration.ofMinutes(2), true, "new disk", List.of("c")));
    calls.clear();
    node.serving = false;
    mode = new MaintenanceMode(folder.resolve("maintenance.json"), node, clock, () -> now);
    assertThat(calls).as("before any group is open").containsExactly("show new disk");
    mode.step();
    assertThat(mode.maintenance().reason()).isEqualTo("new disk");
    node.serving = true;
    mode.restore();
    mode.step();
    assertThat(calls).contains("stopIntake", "stopDeliveries", "handOver spool-a to c");
    assertThat(mode.maintenance().drainTimeoutSeconds()).isEqualTo(120);
    mode.exitMaintenance();
    calls.clear();
    mode = new MaintenanceMode(folder.resolve("maintenance.json"), node, clock, () -> now);
    mode.restore();
    assertThat(calls).isEmpty();
  }

  @Test
  void maintenanceOfANodeThatWaitsForItsClusterEnds() throws Exception {
    enter("x");
    node.serving = false;
    calls.clear();
    assertThat(mode.exitMaintenance().state()).isEqualTo("active");
    mode.restore();
    assertThat(calls).containsExactly("show null", "MaintenanceExited");
  }

  @Test
  void aFileThatCannotBeReadIsRefusedInOneSentence() throws Exception {
    enter("");
    Path file = folder.resolve("maintenance.json");
    String newer = Files.readString(file).replace("\"version\":1", "\"version\":2");
    for (String content : List.of("{\"version\":1}", "", newer)) {
      Files.writeString(file, content);
      assertThatThrownBy(() -> new MaintenanceMode(file, node, clock, () -> now))
          .isInstanceOf(NodeStartException.class)
          .hasMessageContaining("delete it to end the maintenance");
    }
  }

  @Test
  void badOrdersAreRefusedAndChangeNothing() {
    assertThat(refusal("a")).isEqualTo("a cannot be a target: it is the node in maintenance");
    assertThat(refusal("z")).isEqualTo("z is no member of the cluster");
    assertThat(refusal("d")).isEqualTo("d has no replica of the spool of a; these have one: b, c");
    node.ready = List.of("b");
    assertThat(refusal("c")).isEqualTo("c is not ready");
    node.ready = List.of();
    assertThat(refusal()).startsWith("no other node is ready").contains("b, c, d");
    node.members = List.of("a");
    assertThat(refusal()).startsWith("a is the only node");
    node.serving = false;
    assertThat(refusal()).startsWith("the node is starting or stopping");
    assertThat(calls).isEmpty();
    assertThat(folder.resolve("maintenance.json")).doesNotExist();
    for (Duration bad : List.of(Duration.ZERO, Duration.ofMinutes(61)))
      assertThatThrownBy(() -> new MaintenanceOrder(bad, true, "", List.of()))
          .hasMessage("the drain timeout is 1s to 1h");
    assertThatThrownBy(() -> new MaintenanceOrder(Duration.ofSeconds(1), true, "a\nb", List.of()))
        .hasMessageStartingWith("the reason is one line");
    assertThatThrownBy(() -> new MaintenanceOrder(Duration.ofSeconds(1), false, "", List.of("b")))
        .hasMessageContaining("no target");
  }

  private MaintenanceStatus enter(String reason) {
    var result =
        mode.enterMaintenance(new MaintenanceOrder(Duration.ofMinutes(5), true, reason, List.of()));
    assertThat(result.refusal()).isEmpty();
    return result.status();
  }

  private String refusal(String... targets) {
    return mode.enterMaintenance(
            new MaintenanceOrder(Duration.ofMinutes(5), true, "", List.of(targets)))
        .refusal();
  }

  private final class FakeNode implements MaintenanceMode.Operations {
    boolean serving = true;
    boolean stopping;
    List<String> members = List.of("a", "b", "c", "d");
    List<String> ready = List.of("b", "c", "d");
    int transactions;
    int deliveries;
    int inDoubt;
    final TreeSet<String> led = new TreeSet<>(List.of("meta", "spool-a"));
    final Map<String, String> obstacles = new TreeMap<>();

    @Override
    public String self() {
      return "a";
    }

    @Override
    public boolean isServing() {
      return serving;
    }

    @Override
    public boolean isStopping() {
      return stopping;
    }

    @Override
    public List<String> members() {
      return members;
    }

    @Override
    public boolean isReady(String nodeId) {
      return ready.contains(nodeId);
    }

    @Override
    public List<String> ownReplicas() {
      return List.of("a", "b", "c");
    }

    @Override
    public void show(@Nullable String reason) {
      calls.add("show " + reason);
    }

    @Override
    public void stopIntake() {
      calls.add("stopIntake");
    }

    @Override
    public void resumeIntake() {
      calls.add("resumeIntake");
    }

    @Override
    public void stopDeliveries() {
      calls.add("stopDeliveries");
    }

    @Override
    public void resumeDeliveries() {
      calls.add("resumeDeliveries");
    }

    @Override
    public void endIdleSessions() {
      calls.add("endIdleSessions");
    }

    @Override
    public int transactions() {
      return transactions;
    }

    @Override
    public int deliveries() {
      return deliveries;
    }

    @Override
    public int inDoubt() {
      return inDoubt;
    }

    @Override
    public void closeSessions() {
      calls.add("closeSessions");
      transactions = 0;
    }

    @Override
    public void stopDots() {
      calls.add("stopDots");
    }

    @Override
    public List<String> led() {
      return List.copyOf(led);
    }

    @Override
    public Optional<String> obstacle(String group, List<String> targets) {
      return Optional.ofNullable(obstacles.get(group));
    }

    @Override
    public boolean handOver(String group, List<String> targets) {
      calls.add(
          "handOver " + group + " to " + (targets.isEmpty() ? "any" : String.join(" ", targets)));
      return led.remove(group);
    }

    @Override
    public void publish(String type, Map<String, String> details) {
      if (type.startsWith("Rebalancing"))
        assertThat(details).containsEntry("messages", "17").containsEntry("reason", "maintenance");
      calls.add((type + " " + details.getOrDefault("moved", "")).strip());
    }

    @Override
    public long messages(String spool) {
      return 17;
    }
  }
}
