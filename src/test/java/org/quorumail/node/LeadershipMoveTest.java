package org.quorumail.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.quorumail.spool.OwnedSpool;

class LeadershipMoveTest {
  private final List<String> calls = new ArrayList<>();
  private final FakeNode node = new FakeNode();
  private final LeadershipMove move = new LeadershipMove(node);

  @Test
  void theMetaGroupMovesToAnyNodeOrToOneThatIsNamed() {
    assertThat(move.run("meta", "")).isEmpty();
    assertThat(move.run("meta", "c")).isEmpty();
    assertThat(calls).containsExactly("handOver meta to [b, c]", "handOver meta to [c]");
  }

  @Test
  void aSpoolIsDrainedAndReturnsToItsHome() {
    node.spools.put("spool-b", new LeadershipMove.LedSpool("b", false, Optional.of(owned())));
    assertThat(move.run("spool-b", "")).isEmpty();
    assertThat(calls)
        .containsExactly(
            "RebalancingStarted", "drain", "handOver spool-b to [b]", "RebalancingCompleted true");
  }

  @Test
  void aSpoolWhoseHomeIsAwayMovesToAnotherReplica() {
    node.spools.put("spool-b", new LeadershipMove.LedSpool("b", false, Optional.of(owned())));
    node.obstacles.put(List.of("b"), "b is not ready");
    assertThat(move.run("spool-b", "b")).contains("no other node is ready to lead: b is not ready");
    assertThat(calls).as("nothing is stopped for it").isEmpty();
    assertThat(move.run("spool-b", "c")).isEmpty();
    assertThat(calls).contains("handOver spool-b to [c]");
  }

  @Test
  void aSpoolThatWouldReturnAtOnceStays() {
    node.spools.put("spool-a", new LeadershipMove.LedSpool("a", true, Optional.of(owned())));
    node.spools.put("spool-b", new LeadershipMove.LedSpool("b", false, Optional.of(owned())));
    assertThat(move.run("spool-a", "b").orElseThrow())
        .startsWith("a is the home of spool-a")
        .contains("maintenance enter");
    assertThat(move.run("spool-b", "c")).contains("b is ready and would get spool-b back at once");
    assertThat(calls).isEmpty();
    node.maintenance = true;
    assertThat(move.run("spool-a", "b")).isEmpty();
  }

  @Test
  void runningDeliveriesAndAFailedElectionLeaveTheSpoolHere() {
    node.spools.put("spool-b", new LeadershipMove.LedSpool("b", false, Optional.of(owned())));
    node.drains = false;
    assertThat(move.run("spool-b", ""))
        .contains("deliveries of spool-b are still running; try again later");
    node.drains = true;
    node.elects = false;
    assertThat(move.run("spool-b", "")).contains("no other node was elected in time; try again");
    assertThat(calls.stream().filter("resume"::equals)).hasSize(2);
    assertThat(calls).endsWith("RebalancingCompleted false");
  }

  @Test
  void badOrdersAreRefusedInOneSentence() {
    assertThat(move.run("meta", "a")).contains("a leads meta already");
    assertThat(move.run("meta", "z")).contains("z has no vote in meta; these have one: a, b, c");
    node.members = List.of("a");
    assertThat(move.run("meta", "")).contains("no other node is ready: none is in meta");
    assertThat(calls).isEmpty();
  }

  private static OwnedSpool owned() {
    return (OwnedSpool)
        Proxy.newProxyInstance(
            OwnedSpool.class.getClassLoader(),
            new Class<?>[] {OwnedSpool.class},
            (proxy, method, arguments) -> {
              throw new UnsupportedOperationException(method.getName());
            });
  }

  private final class FakeNode implements LeadershipMove.Operations {
    List<String> members = List.of("a", "b", "c");
    final Map<String, LeadershipMove.LedSpool> spools = new TreeMap<>();
    final Map<List<String>, String> obstacles = new java.util.HashMap<>();
    boolean maintenance;
    boolean drains = true;
    boolean elects = true;

    @Override
    public String self() {
      return "a";
    }

    @Override
    public boolean isInMaintenance() {
      return maintenance;
    }

    @Override
    public Optional<LeadershipMove.LedSpool> spool(String group) {
      return Optional.ofNullable(spools.get(group));
    }

    @Override
    public List<String> members(String group) {
      return members;
    }

    @Override
    public Optional<String> obstacle(String group, List<String> successors) {
      return Optional.ofNullable(obstacles.get(successors));
    }

    @Override
    public boolean handOver(String group, List<String> successors) {
      calls.add("handOver " + group + " to " + successors);
      return elects;
    }

    @Override
    public boolean drain(OwnedSpool spool, Duration timeout) {
      calls.add("drain");
      return drains;
    }

    @Override
    public void resume(OwnedSpool spool) {
      calls.add("resume");
    }

    @Override
    public long messages(String group) {
      return 3;
    }

    @Override
    public void publish(String type, Map<String, String> details) {
      calls.add((type + " " + details.getOrDefault("moved", "")).strip());
    }
  }
}
