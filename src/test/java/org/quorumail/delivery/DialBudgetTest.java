package org.quorumail.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.quorumail.smtp.client.BlackHole;
import org.quorumail.smtp.client.ConnectResult;
import org.quorumail.smtp.client.Dial;
import org.quorumail.smtp.client.ServerEndpoint;
import org.quorumail.smtp.client.SmtpClient;
import org.quorumail.smtp.client.TestTls;
import org.quorumail.smtp.client.TlsRule;

class DialBudgetTest {
  private final AtomicInteger rooms = new AtomicInteger();
  private final DialBudget budget = new DialBudget(16, rooms::incrementAndGet);

  @Test
  void aPartIsForDestinationsThatTookMailLately() {
    for (int i = 0; i < 6; i++) assertThat(budget.reserve(false)).isTrue();
    assertThat(budget.reserve(false)).isFalse();
    for (int i = 0; i < 2; i++) assertThat(budget.reserve(true)).isTrue();
    assertThat(budget.reserve(true)).isFalse();
    budget.cancel();
    assertThat(budget.reserve(true)).isTrue();
  }

  @Test
  void aPermitIsReturnedOnceAndWakesThoseThatWait() {
    for (int i = 0; i < 6; i++) assertThat(budget.reserve(false)).isTrue();
    DialBudget.Permit permit = budget.begin();
    assertThat(budget.reserve(false)).isFalse();
    permit.close();
    permit.close();
    assertThat(rooms).hasValue(1);
    assertThat(budget.ended()).isEqualTo(1);
    assertThat(budget.reserve(false)).isTrue();
    assertThat(budget.reserve(false)).isFalse();
    budget.uncounted().close();
    assertThat(budget.running()).isEqualTo(6);
  }

  @Test
  void slowDialsAreCutWhereOthersWaitButForAFew() throws IOException {
    SmtpClient client = client();
    try (BlackHole hole = new BlackHole("127.0.0.1")) {
      List<DialBudget.Permit> permits = new ArrayList<>();
      List<Dial> failed = new ArrayList<>();
      for (int i = 0; i < 6; i++) {
        assertThat(budget.reserve(false)).isTrue();
        DialBudget.Permit permit = budget.begin();
        permits.add(permit);
        Thread.ofVirtual().start(() -> dial(client, hole, permit, failed));
      }
      await().until(() -> permits.stream().allMatch(p -> isConnecting(p.dial())));
      long later = System.nanoTime() + Duration.ofSeconds(1).toNanos();
      assertThat(budget.cutSlow(later)).as("nobody waits").isFalse();
      assertThat(budget.reserve(false)).isFalse();
      assertThat(budget.cutSlow(System.nanoTime() - Duration.ofMinutes(1).toNanos())).isTrue();
      assertThat(permits).as("all are young").noneMatch(p -> p.dial().isAborted());
      assertThat(budget.reserve(false)).isFalse();
      assertThat(budget.cutSlow(later)).isTrue();
      assertThat(permits).filteredOn(p -> p.dial().isAborted()).hasSize(4);
      await().until(() -> budget.running() == 2);
      synchronized (failed) {
        assertThat(failed).hasSize(4).allMatch(Dial::isAborted);
      }
      permits.forEach(p -> p.dial().abort());
    }
  }

  private static boolean isConnecting(Dial dial) {
    return dial.stage() == Dial.Stage.CONNECTING;
  }

  private static void dial(
      SmtpClient client, BlackHole hole, DialBudget.Permit permit, List<Dial> failed) {
    ServerEndpoint peer =
        new ServerEndpoint("h.test", hole.address(), false, TlsRule.OPPORTUNISTIC, false, null);
    ConnectResult result = client.open(List.of(peer), permit.dial()).result();
    synchronized (failed) {
      if (result instanceof ConnectResult.Unusable) failed.add(permit.dial());
    }
    permit.close();
  }

  private static SmtpClient client() {
    return new SmtpClient(
        "here.test", TestConfig.of("").delivery().smtpTimeouts(), TestTls.trusting());
  }
}
