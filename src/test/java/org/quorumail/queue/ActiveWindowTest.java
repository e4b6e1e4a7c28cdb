package org.quorumail.queue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.quorumail.delivery.DeliveryAgent;
import org.quorumail.delivery.MxOverrides;
import org.quorumail.mail.QueueId;
import org.quorumail.queue.ActiveWindow.OfferResult;
import org.quorumail.spool.OwnedSpool;

class ActiveWindowTest {
  private final DeliveryAgent agent =
      TestConfig.agent(TestConfig.of(""), new MxOverrides(), new SimpleMeterRegistry());
  private final FakeOwnedSpool spool = new FakeOwnedSpool("a");
  private final ActiveWindow window = new ActiveWindow(agent, 200);

  @Test
  void aClaimIsTakenOnce() {
    DeliveryClaim claim = claim(spool, "d.test");
    assertThat(window.offer(claim, now())).isEqualTo(OfferResult.ADDED);
    assertThat(window.offer(claim, now())).isEqualTo(OfferResult.KNOWN);
    assertThat(window.next(now())).contains(claim);
    assertThat(window.offer(claim, now())).isEqualTo(OfferResult.KNOWN);
    window.finish(claim, Duration.ZERO, now());
    assertThat(window.offer(claim, now())).isEqualTo(OfferResult.ADDED);
  }

  @Test
  void aSpoolIsIdleOnceTheAttemptsOfItsFormerTermsHaveEnded() {
    FakeOwnedSpool former = new FakeOwnedSpool("again");
    FakeOwnedSpool present = new FakeOwnedSpool("again");
    DeliveryClaim claim = claim(former, "d.test");
    window.offer(claim, now());
    assertThat(window.next(now())).contains(claim);
    window.forgetSpool(former);
    window.stop(present);
    assertThat(window.awaitIdle(present, Duration.ofMillis(10)))
        .as("its outcomes are committed in the present term")
        .isFalse();
    window.finish(claim, Duration.ZERO, now());
    assertThat(window.awaitIdle(present, Duration.ofMillis(10))).isTrue();
  }

  @Test
  void destinationsTakeTurns() {
    for (int i = 0; i < 100; i++) window.offer(claim(spool, "busy.test"), now());
    window.offer(claim(spool, "quiet.test"), now());
    assertThat(List.of(domain(window.next(now())), domain(window.next(now()))))
        .containsExactlyInAnyOrder("busy.test", "quiet.test");
  }

  @Test
  void aFullDestinationDoesNotHoldUpOthers() {
    for (int i = 0; i < 100; i++) window.offer(claim(spool, "busy.test"), now());
    while (window.next(now()).isPresent()) {}
    window.offer(claim(spool, "late.test"), now());
    assertThat(domain(window.next(now()))).isEqualTo("late.test");
  }

  @Test
  void nothingRunsAboveTheBound() {
    ActiveWindow small = new ActiveWindow(agent, 3);
    for (int i = 0; i < 10; i++) small.offer(claim(spool, "d" + i + ".test"), now());
    int running = 0;
    while (small.next(now()).isPresent()) running++;
    assertThat(running).isEqualTo(3);
  }

  @Test
  void theWindowIsBoundedAndEveryDestinationGetsAShare() {
    int taken = 0;
    for (int i = 0; i < 30_000; i++) {
      if (window.offer(claim(spool, "huge" + i % 3 + ".test"), now()) == OfferResult.ADDED) taken++;
    }
    assertThat(taken).isLessThan(ActiveWindow.MAX_READY);
    assertThat(window.offer(claim(spool, "small.test"), now())).isEqualTo(OfferResult.ADDED);
    assertThat(window.hasRoomForBacklog(now())).isFalse();
  }

  @Test
  void whatFoundNoPlaceIsAskedForWhenThereIsRoom() {
    for (int i = 0; i < 5000; i++) window.offer(claim(spool, "d.test"), now());
    assertThat(window.hasRoomForBacklog(now())).isFalse();
    while (window.ready() > 100) {
      DeliveryClaim claim = window.next(now()).orElseThrow();
      agent.cancel(claim.destination());
      window.finish(claim, Duration.ZERO, now());
    }
    assertThat(window.hasRoomForBacklog(now())).isTrue();
  }

  @Test
  void destinationsThatFoundNoPlaceCostNoMemoryAndAreAskedForAgain() {
    int n = 0;
    while (window.ready() < ActiveWindow.MAX_READY)
      window.offer(claim(spool, n++ + ".test"), now());
    int lanes = window.destinations();
    for (int i = 0; i < 50_000; i++) {
      assertThat(window.offer(claim(spool, n++ + ".test"), now())).isEqualTo(OfferResult.NO_SLOT);
    }
    assertThat(window.destinations()).isEqualTo(lanes);
    assertThat(window.hasRoomForBacklog(now())).isFalse();
    while (window.ready() >= ActiveWindow.MAX_READY / 2) {
      DeliveryClaim claim = window.next(now()).orElseThrow();
      agent.cancel(claim.destination());
      window.finish(claim, Duration.ZERO, now());
    }
    assertThat(window.hasRoomForBacklog(now())).isTrue();
    window.beginSweep(now());
    assertThat(window.hasRoomForBacklog(now())).isFalse();
  }

  @Test
  void nothingOfAStoppedSpoolStartsUntilItIsResumed() {
    FakeOwnedSpool other = new FakeOwnedSpool("b");
    window.offer(claim(spool, "d.test"), now());
    DeliveryClaim others = claim(other, "d.test");
    window.offer(others, now());
    window.stop(spool);
    assertThat(window.offer(claim(spool, "d.test"), now())).isNotEqualTo(OfferResult.ADDED);
    assertThat(window.beginUnadmitted(claim(spool, "d.test"), now())).isFalse();
    assertThat(window.next(now())).contains(others);
    assertThat(window.next(now())).isEmpty();
    assertThat(window.awaitIdle(spool, Duration.ZERO)).isTrue();
    assertThat(window.awaitIdle(other, Duration.ZERO)).isFalse();
    window.resume(spool);
    assertThat(window.offer(claim(spool, "d.test"), now())).isEqualTo(OfferResult.ADDED);
  }

  /** A stop leaves a destination without ready claims in the rotation. */
  @Test
  void aDestinationThatAStopHasEmptiedIsUsedAgainAfterTheResume() {
    window.offer(claim(spool, "d.test"), now());
    window.stop(spool);
    assertThat(window.next(now())).isEmpty();
    window.resume(spool);
    DeliveryClaim claim = claim(spool, "d.test");
    assertThat(window.offer(claim, now())).isEqualTo(OfferResult.ADDED);
    assertThat(window.next(now())).contains(claim);
    assertThat(agent.stats().getFirst().running()).as("admitted").isEqualTo(1);
  }

  @Test
  void aRecipientIsInOneAttemptAtATime() {
    ActiveWindow.RecipientKey key =
        new ActiveWindow.RecipientKey("a", QueueId.generate(Instant.EPOCH), 0);
    assertThat(window.takeRecipient(key)).isTrue();
    assertThat(window.takeRecipient(key)).isFalse();
    window.releaseRecipient(key);
    assertThat(window.takeRecipient(key)).isTrue();
    window.releaseRecipient(key);
    assertThatThrownBy(() -> window.releaseRecipient(key))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void aClaimThatDoesNotRunCannotEnd() {
    DeliveryClaim claim = claim(spool, "d.test");
    window.offer(claim, now());
    assertThatThrownBy(() -> window.finish(claim, Duration.ZERO, now()))
        .isInstanceOf(IllegalStateException.class);
    assertThat(window.next(now())).contains(claim);
  }

  @Test
  void aRestingClaimIsNotTakenUpBeforeItsTime() {
    DeliveryClaim claim = claim(spool, "d.test");
    window.offer(claim, now());
    window.next(now());
    long now = now();
    window.finish(claim, Duration.ofSeconds(5), now);
    assertThat(window.endBackoffs(now + Duration.ofSeconds(4).toNanos())).isFalse();
    assertThat(window.offer(claim, now)).isEqualTo(OfferResult.KNOWN);
    assertThat(window.endBackoffs(now + Duration.ofSeconds(5).toNanos())).isTrue();
    assertThat(window.offer(claim, now)).isEqualTo(OfferResult.ADDED);
  }

  private DeliveryClaim claim(OwnedSpool of, String domain) {
    return new DeliveryClaim(of, QueueId.generate(Instant.EPOCH), agent.destination(domain));
  }

  private static String domain(Optional<DeliveryClaim> claim) {
    return claim.orElseThrow().destination().domain();
  }

  private static long now() {
    return System.nanoTime();
  }
}
