package org.quorumail.node;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.quorumail.spool.OwnedSpool;
import org.slf4j.LoggerFactory;

class SpoolRebalancerTest {
  private final List<String> calls = new ArrayList<>();
  private final FakeNode node = new FakeNode();
  private long now = 1_000;
  private final SpoolRebalancer rebalancer = new SpoolRebalancer(node, () -> now);

  @Test
  void aSpoolReturnsOnceItsHomeHasBeenReadyForTwoSeconds() {
    rebalancer.rebalanceAll();
    assertThat(calls).isEmpty();
    pass(Duration.ofMillis(1_900));
    rebalancer.rebalanceAll();
    assertThat(calls).isEmpty();
    pass(Duration.ofMillis(200));
    rebalancer.rebalanceAll();
    assertThat(calls)
        .containsExactly(
            "RebalancingStarted", "drain", "return spool-b to b", "RebalancingCompleted true");
  }

  @Test
  void aHomeThatStopsInBetweenWaitsAgain() {
    rebalancer.rebalanceAll();
    pass(Duration.ofSeconds(1));
    node.ready = false;
    rebalancer.rebalanceAll();
    node.ready = true;
    pass(Duration.ofSeconds(5));
    rebalancer.rebalanceAll();
    assertThat(calls).as("the two seconds begin again").isEmpty();
    pass(Duration.ofSeconds(2));
    rebalancer.rebalanceAll();
    assertThat(calls).contains("return spool-b to b");
  }

  @Test
  void runningAttemptsKeepTheSpoolHereAndDeliveryGoesOn() {
    node.drains = false;
    rebalancer.rebalanceAll();
    pass(Duration.ofSeconds(3));
    rebalancer.rebalanceAll();
    assertThat(calls)
        .containsExactly("RebalancingStarted", "drain", "resume", "RebalancingCompleted false");
    pass(Duration.ofSeconds(9));
    rebalancer.rebalanceAll();
    assertThat(calls).as("not again within ten seconds").hasSize(4);
    pass(Duration.ofSeconds(2));
    node.drains = true;
    rebalancer.rebalanceAll();
    assertThat(calls).contains("RebalancingCompleted true");
  }

  @Test
  void aHomeThatHasNotCaughtUpChangesNothingUntilItHas() {
    node.obstacle = Optional.of("b has not caught up: it lacks 1000 entries");
    var logger = (Logger) LoggerFactory.getLogger(SpoolRebalancer.class);
    ListAppender<ILoggingEvent> lines = new ListAppender<>();
    lines.start();
    logger.addAppender(lines);
    for (int second = 0; second < 150; second++) {
      rebalancer.rebalanceAll();
      pass(Duration.ofSeconds(1));
    }
    logger.detachAppender(lines);
    assertThat(calls).as("neither drained nor announced").isEmpty();
    assertThat(lines.list)
        .as("a line per minute")
        .hasSize(3)
        .allMatch(
            line ->
                line.getFormattedMessage()
                    .equals(
                        "event=spool_rebalance_deferred spool=spool-b"
                            + " reason=\"b has not caught up: it lacks 1000 entries\""));
    node.obstacle = Optional.empty();
    rebalancer.rebalanceAll();
    assertThat(calls).contains("RebalancingCompleted true");
  }

  @Test
  void ownAndForeignSpoolsStayWhereTheyAre() {
    node.candidates =
        List.of(
            new SpoolRebalancer.Candidate("spool-a", "a", true, Optional.of(owned())),
            new SpoolRebalancer.Candidate("spool-c", "c", false, Optional.empty()));
    rebalancer.rebalanceAll();
    pass(Duration.ofSeconds(60));
    rebalancer.rebalanceAll();
    assertThat(calls).isEmpty();
  }

  @Test
  void aFaultOfOneSpoolDoesNotKeepTheNextFromItsHome() {
    node.candidates =
        List.of(
            new SpoolRebalancer.Candidate("spool-x", "x", false, Optional.of(owned())),
            new SpoolRebalancer.Candidate("spool-b", "b", false, Optional.of(owned())));
    rebalancer.rebalanceAll();
    pass(Duration.ofSeconds(3));
    rebalancer.rebalanceAll();
    assertThat(calls).contains("resume", "return spool-b to b");
  }

  private void pass(Duration time) {
    now += time.toNanos();
  }

  /** An owned spool of which only the identity is used. */
  private static OwnedSpool owned() {
    return (OwnedSpool)
        Proxy.newProxyInstance(
            OwnedSpool.class.getClassLoader(),
            new Class<?>[] {OwnedSpool.class},
            (proxy, method, arguments) -> {
              throw new UnsupportedOperationException(method.getName());
            });
  }

  private final class FakeNode implements SpoolRebalancer.Operations {
    List<SpoolRebalancer.Candidate> candidates =
        List.of(new SpoolRebalancer.Candidate("spool-b", "b", false, Optional.of(owned())));
    boolean ready = true;
    boolean drains = true;
    Optional<String> obstacle = Optional.empty();

    @Override
    public List<SpoolRebalancer.Candidate> candidates() {
      return candidates;
    }

    @Override
    public boolean isReady(String nodeId) {
      return ready;
    }

    @Override
    public Optional<String> obstacle(SpoolRebalancer.Candidate spool) {
      return obstacle;
    }

    @Override
    public void publish(String type, Map<String, String> details) {
      assertThat(details).containsEntry("messages", "17").containsEntry("reason", "home");
      calls.add((type + " " + details.getOrDefault("moved", "")).strip());
    }

    @Override
    public long messages(String spool) {
      return 17;
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
    public boolean returnToHome(SpoolRebalancer.Candidate spool) {
      if (spool.name().equals("spool-x")) throw new IllegalStateException("a fault");
      calls.add("return " + spool.name() + " to " + spool.home());
      return true;
    }
  }
}
