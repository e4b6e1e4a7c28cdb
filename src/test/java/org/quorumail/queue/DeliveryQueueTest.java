package org.quorumail.queue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.quorumail.smtp.client.ScriptedServer.polite;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.quorumail.classification.FailureClassifier;
import org.quorumail.config.HostPort;
import org.quorumail.delivery.MxOverrides;
import org.quorumail.dsn.DsnComposer;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.MailOptions;
import org.quorumail.mail.Notify;
import org.quorumail.mail.OperatorCommand;
import org.quorumail.mail.Outcome;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.Recipient;
import org.quorumail.mail.ReversePath;
import org.quorumail.node.Config;
import org.quorumail.smtp.client.BlackHole;
import org.quorumail.smtp.client.ScriptedServer;
import org.quorumail.smtp.client.ScriptedServer.Script;
import org.quorumail.spool.OwnedSpool;

@Execution(ExecutionMode.CONCURRENT)
class DeliveryQueueTest {
  private static final Instant START = Instant.parse("2026-11-21T10:00:00Z");

  @TempDir Path directory;

  private final AtomicLong aheadMillis = new AtomicLong();
  private final AtomicLong clockErrorMillis = new AtomicLong();
  private final FakeOwnedSpool spool = new FakeOwnedSpool("spool-a");
  private final List<String> settings = new ArrayList<>();
  private final MxOverrides overrides = new MxOverrides();
  private ScriptedServer server;
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private DeliveryQueue queue;

  @AfterEach
  void stop() throws IOException {
    if (queue != null) queue.close();
    server.close();
  }

  @Test
  void whatIsDueIsDeliveredAndGone() throws Exception {
    start(ScriptedServer::polite);
    accept("from@here.test", "Subject: x\r\n\r\n.dot\r\n", "to@there.test");
    awaitEmpty();
    assertThat(server.messages()).containsExactly("Subject: x\r\n\r\n..dot\r\n");
    assertThat(server.commands())
        .contains("MAIL FROM:<from@here.test> SIZE=20", "RCPT TO:<to@there.test>");
    assertThat(spool.inDoubt()).isZero();
  }

  @Test
  void recipientsWhoShareANextHopShareATransaction() throws Exception {
    start(ScriptedServer::polite);
    accept("from@here.test", "x\r\n", "a@one.test", "b@two.test", "c@three.test");
    awaitEmpty();
    assertThat(server.messages()).hasSize(1);
    assertThat(server.commands()).filteredOn(c -> c.startsWith("RCPT")).hasSize(3);
  }

  @Test
  void oneConnectionServesManyMessages() throws Exception {
    settings.add("[delivery]\nmax_concurrent_deliveries = 1");
    start(ScriptedServer::polite);
    for (int i = 0; i < 50; i++) accept("from@here.test", "x\r\n", "to@there.test");
    awaitEmpty();
    assertThat(server.messages()).hasSize(50);
    assertThat(server.connections()).isEqualTo(1);
  }

  @Test
  void aConnectionThatTheServerClosedWhileIdleCostsNoAttempt() throws Exception {
    settings.add("[delivery]\nmax_concurrent_deliveries = 1");
    AtomicInteger mails = new AtomicInteger();
    start(
        command ->
            command.startsWith("MAIL") && mails.incrementAndGet() == 2
                ? "421 4.4.2 idle for too long"
                : polite(command));
    accept("from@here.test", "x\r\n", "to@there.test");
    accept("from@here.test", "y\r\n", "to@there.test");
    awaitEmpty();
    assertThat(server.connections()).isEqualTo(2);
    assertThat(spool.outcomes()).hasSize(2).allMatch(o -> o instanceof Outcome.Delivered);
  }

  @Test
  void greylistingDefersByTheScheduleAndThenDelivers() throws Exception {
    AtomicInteger recipients = new AtomicInteger();
    start(
        command ->
            command.startsWith("RCPT") && recipients.getAndIncrement() == 0
                ? "450 4.7.1 come back"
                : polite(command));
    accept("from@here.test", "x\r\n", "to@there.test");
    await().until(() -> spool.outcomes().size() == 1);
    Outcome.Deferred first = (Outcome.Deferred) spool.outcomes().getFirst();
    assertThat(first.until())
        .isBetween(START.plusSeconds(48), now().plusSeconds(72)); // 60 s ± 20 %
    assertThat(first.status()).hasToString("4.7.1");
    aheadMillis.addAndGet(Duration.ofSeconds(80).toMillis());
    awaitEmpty();
  }

  @Test
  void aRefusalIsReportedToTheSenderAndTheReportIsDelivered() throws Exception {
    start(
        command ->
            command.equals("RCPT TO:<gone@there.test>")
                ? "550 5.1.1 no such user"
                : polite(command));
    accept("from@here.test", "Subject: hello\r\n\r\nx\r\n", "gone@there.test", "to@there.test");
    awaitEmpty();
    assertThat(spool.outcomes().subList(0, 2))
        .extracting(o -> o.getClass().getSimpleName())
        .containsExactly("Failed", "Delivered");
    assertThat(server.commands()).contains("RCPT TO:<from@here.test>");
    assertThat(server.commands()).anyMatch(c -> c.startsWith("MAIL FROM:<> "));
    assertThat(server.messages().getLast())
        .contains("Final-Recipient: rfc822; gone@there.test")
        .contains("Status: 5.1.1")
        .contains("Subject: hello");
  }

  @Test
  void aSuccessIsReportedWhereTheNextHopReportsNone() throws Exception {
    start(ScriptedServer::polite);
    accept(asking("to@there.test", new Notify(true, true, false, false)));
    awaitEmpty();
    assertThat(spool.notifications()).hasSize(1);
    assertThat(content(0))
        .contains("Original-Envelope-Id: Q=1\r\n")
        .contains("Original-Recipient: rfc822; first@there.test\r\n")
        .contains("Action: relayed\r\nStatus: 2.0.0\r\n")
        .contains("Content-Type: text/rfc822-headers")
        .doesNotContain("the body");
  }

  @Test
  void aSuccessIsTheNextHopsToReportWhenItCan() throws Exception {
    start(c -> c.startsWith("EHLO") ? "250-far.test\r\n250 DSN" : polite(c));
    accept(asking("to@there.test", new Notify(true, true, false, false)));
    awaitEmpty();
    assertThat(spool.notifications()).isEmpty();
    assertThat(server.commands())
        .contains("RCPT TO:<to@there.test> NOTIFY=SUCCESS ORCPT=rfc822;first@there.test");
  }

  @Test
  void aFailureIsNotReportedToWhoNeverWantsToHear() throws Exception {
    start(c -> c.startsWith("RCPT TO:<to") ? "550 5.1.1 no" : polite(c));
    accept(asking("to@there.test", Notify.NEVER));
    awaitEmpty();
    assertThat(spool.outcomes().getFirst()).isInstanceOf(Outcome.Failed.class);
    assertThat(spool.notifications()).isEmpty();
  }

  @Test
  void anAddressThatTheNextHopCannotTakeDoesNotHoldUpTheOthers() throws Exception {
    start(ScriptedServer::polite);
    accept("from@here.test", "x\r\n", "j\u00fcrgen@there.test", "to@there.test");
    awaitEmpty();
    assertThat(server.commands()).contains("RCPT TO:<to@there.test>");
    byte[] report = spool.notifications().getFirst().content();
    assertThat(new String(report, StandardCharsets.UTF_8))
        .contains("Content-Type: message/global-delivery-status")
        .contains("Final-Recipient: utf-8; j\u00fcrgen@there.test\r\nAction: failed")
        .contains("Status: 5.6.7");
  }

  @Test
  void storedMailWithoutADomainStopsNeitherOtherMailNorItself() throws Exception {
    start(ScriptedServer::polite);
    queue.drain(spool, Duration.ofSeconds(5));
    acceptReport("x\r\n", "postmaster");
    accept("from@here.test", "x\r\n", "a@\uff5e.test", "b@\ud83d\ude00.test", "c@one.test");
    queue.resume(spool);
    awaitEmpty();
    assertThat(server.commands()).contains("RCPT TO:<c@one.test>");
  }

  @Test
  void theReportToASenderWithoutADomainGoesToThisHost() throws Exception {
    start(command -> command.startsWith("RCPT TO:<to") ? "550 5.1.1 no" : polite(command));
    accept("postmaster", "x\r\n", "to@there.test");
    awaitEmpty();
    assertThat(server.commands()).contains("RCPT TO:<postmaster@here.test>");
    assertThat(content(0)).contains("\r\nTo: <postmaster@here.test>\r\n");
  }

  @Test
  void aReportWhoseContentTheNextHopCannotTakeIsSentInASmallerForm() throws Exception {
    start(
        command -> {
          if (command.startsWith("EHLO")) return "250 far.test";
          return command.startsWith("RCPT TO:<to") ? "550 5.1.1 no" : polite(command);
        });
    String signed =
        """
        Subject: x\r
        MIME-Version: 1.0\r
        Content-Type: multipart/signed; boundary=b\r
        \r
        --b\r
        Content-Transfer-Encoding: 8bit\r
        \r
        gr\u00fc\u00dfe\r
        --b--\r
        """;
    accept("from@here.test", signed, "to@there.test");
    awaitEmpty();
    assertThat(server.messages()).hasSize(1);
    assertThat(server.messages().getFirst())
        .contains("Content-Type: message/delivery-status\r\n", "Status: 5.1.1\r\n")
        .doesNotContain("multipart/signed")
        .matches("[\\p{ASCII}]+");
  }

  @Test
  void aReportWhoseContentIsRefusedIsSentOnceMoreInASmallerForm() throws Exception {
    AtomicInteger reports = new AtomicInteger();
    List<String> replies = List.of("554 5.7.1 we do not like the attachment", "250 ok");
    start(
        command -> {
          if (command.startsWith("RCPT TO:<to")) return "550 5.1.1 no";
          return command.equals(".") ? replies.get(reports.getAndIncrement()) : polite(command);
        });
    accept("from@here.test", "Subject: x\r\n\r\nthe body\r\n", "to@there.test");
    awaitEmpty();
    assertThat(server.messages()).hasSize(2);
    assertThat(server.messages().getFirst()).contains("the body");
    assertThat(server.messages().getLast())
        .contains("Final-Recipient: rfc822; to@there.test\r\n")
        .doesNotContain("the body");
  }

  @Test
  void aReportThatIsRefusedInEveryFormEnds() throws Exception {
    start(
        command ->
            command.startsWith("RCPT TO:<to")
                ? "550 5.1.1 no"
                : command.equals(".") ? "554 no" : polite(command));
    accept("from@here.test", "Subject: x\r\n\r\nthe body\r\n", "to@there.test");
    awaitEmpty();
    assertThat(spool.notifications()).hasSize(2);
  }

  @Test
  void aReportThatIsRefusedIsNotReported() throws Exception {
    start(command -> command.startsWith("RCPT") ? "550 5.1.1 no" : polite(command));
    acceptReport("x\r\n", "to@there.test");
    awaitEmpty();
    assertThat(spool.notifications()).isEmpty();
  }

  @Test
  void anOldMessageIsGivenUp() throws Exception {
    start(command -> command.startsWith("RCPT") ? "450 4.2.0 full" : polite(command));
    QueueId id = accept("from@here.test", "x\r\n", "to@there.test");
    await().until(() -> spool.outcomes().size() == 1);
    aheadMillis.addAndGet(Duration.ofDays(5).toMillis());
    await().until(() -> spool.message(id).isEmpty());
    assertThat(spool.outcomes().get(1).status()).hasToString("5.4.7");
    assertThat(content(0)).contains("Action: failed");
  }

  @Test
  void aClockThatJumpsByYearsNeitherBouncesNorStrandsMail() throws Exception {
    settings.add("[delivery]\nscan_interval = \"100ms\"");
    AtomicInteger recipients = new AtomicInteger();
    start(
        command ->
            command.startsWith("RCPT") && recipients.getAndIncrement() < 2
                ? "450 4.2.0 full"
                : polite(command));
    accept("from@here.test", "x\r\n", "to@there.test");
    await().until(() -> spool.outcomes().size() == 1);
    clockErrorMillis.set(Duration.ofDays(2000).toMillis());
    await().until(() -> spool.outcomes().size() == 2);
    assertThat(spool.outcomes().getLast()).isInstanceOf(Outcome.Deferred.class);
    assertThat(spool.notifications()).isEmpty();
    assertThat(queue.clockStep()).isGreaterThan(Duration.ofDays(1999));
    clockErrorMillis.set(0);
    await().until(() -> queue.clockStep().isZero());
    awaitEmpty();
    assertThat(spool.outcomes().getLast()).isInstanceOf(Outcome.Delivered.class);
  }

  @Test
  void aDelayIsReportedOnce() throws Exception {
    start(command -> command.startsWith("RCPT TO:<to") ? "450 4.2.0 full" : polite(command));
    accept("from@here.test", "x\r\n", "to@there.test");
    await().until(() -> spool.outcomes().size() == 1);
    aheadMillis.addAndGet(Duration.ofHours(5).toMillis());
    await().until(() -> spool.notifications().size() == 1);
    aheadMillis.addAndGet(Duration.ofHours(5).toMillis());
    await()
        .until(
            () ->
                spool.outcomes().stream().filter(o -> o instanceof Outcome.Deferred).count() >= 3);
    assertThat(spool.notifications()).hasSize(1);
    assertThat(content(0)).contains("Action: delayed");
  }

  @Test
  void withoutTheLeaseTheDotIsNotSent() throws Exception {
    AtomicInteger dots = new AtomicInteger();
    CountDownLatch data = new CountDownLatch(1);
    spool.loseLeaseBeforeTheDot();
    start(
        command -> {
          if (command.equals("DATA")) data.countDown();
          if (command.equals(".")) dots.incrementAndGet();
          return polite(command);
        });
    accept("from@here.test", "x\r\n", "to@there.test");
    data.await();
    await().until(() -> queue.stats().running() == 0);
    assertThat(dots).hasValue(0);
    assertThat(spool.outcomes()).isEmpty();
    assertThat(spool.size()).isEqualTo(1);
  }

  @Test
  void aLostConnectionAfterTheDotDefers() throws Exception {
    start(command -> command.equals(".") ? ScriptedServer.CUT : polite(command));
    accept("from@here.test", "x\r\n", "to@there.test");
    await().until(() -> spool.outcomes().size() == 1);
    assertThat(spool.outcomes().getFirst()).isInstanceOf(Outcome.Deferred.class);
    await().until(() -> spool.inDoubt() == 0);
    assertThat(spool.mostInDoubt()).isEqualTo(1);
  }

  @Test
  void aRefusedRecordIsLeftToTheNextOwner() throws Exception {
    spool.refuseRecords();
    start(ScriptedServer::polite);
    accept("from@here.test", "x\r\n", "to@there.test");
    await().until(() -> server.messages().size() == 1 && queue.stats().running() == 0);
    assertThat(spool.size()).isEqualTo(1);
    assertThat(spool.inDoubt()).isZero();
  }

  @Test
  void contentThatCannotBeReadIsNeverSent() throws Exception {
    spool.makeUnreadable();
    AtomicInteger dots = new AtomicInteger();
    CountDownLatch data = new CountDownLatch(1);
    start(
        command -> {
          if (command.equals("DATA")) data.countDown();
          if (command.equals(".")) dots.incrementAndGet();
          return polite(command);
        });
    accept("from@here.test", "x\r\n", "to@there.test");
    data.await();
    await().until(() -> queue.stats().running() == 0);
    assertThat(dots).hasValue(0);
    assertThat(spool.outcomes()).isEmpty();
  }

  @Test
  void tooManyRecipientsWantAnotherTransactionAtOnce() throws Exception {
    AtomicInteger inTransaction = new AtomicInteger();
    start(
        command -> {
          if (command.startsWith("MAIL")) inTransaction.set(0);
          boolean tooMany = command.startsWith("RCPT") && inTransaction.incrementAndGet() > 10;
          return tooMany ? "452 4.5.3 too many recipients" : polite(command);
        });
    accept(
        "from@here.test",
        "x\r\n",
        IntStream.range(0, 25).mapToObj(i -> "r" + i + "@there.test").toArray(String[]::new));
    awaitEmpty();
    assertThat(server.messages()).hasSize(3);
    assertThat(spool.outcomes()).hasSize(25).allMatch(o -> o instanceof Outcome.Delivered);
  }

  @Test
  void aHostThatFailsIsLeftAlone() throws Exception {
    settings.add("[delivery.circuit_breaker]\nfailures = 3");
    start(command -> command.equals("CONNECT") ? "421 4.3.2 overloaded" : polite(command));
    for (int i = 0; i < 50; i++) accept("from@here.test", "x\r\n", "to@there.test");
    await().until(() -> closedDestinations() == 1 && queue.stats().running() == 0);
    assertThat(server.connections()).isBetween(2, 3 + 5);
    assertThat(spool.size()).isEqualTo(50);
  }

  /** The circuit stays open for five minutes; the host has come back before. */
  @ParameterizedTest
  @ValueSource(strings = {"retry", "process-now"})
  void aRetryOfTheOperatorTriesAHostThatIsPaused(String command) throws Exception {
    settings.add("[delivery.circuit_breaker]\nfailures = 1");
    AtomicBoolean mended = new AtomicBoolean();
    start(c -> c.equals("CONNECT") && !mended.get() ? "421 4.3.2 overloaded" : polite(c));
    accept("from@here.test", "x\r\n", "to@there.test");
    await().until(() -> closedDestinations() == 1 && queue.stats().running() == 0);
    QueueId id = accept("from@here.test", "x\r\n", "to@there.test");
    mended.set(true);
    if (command.equals("retry")) queue.messageRetried(spool, id, spool.domains(id));
    else queue.sweepNow();
    await().until(() -> spool.outcomes().getLast() instanceof Outcome.Delivered);
    assertThat(closedDestinations()).isZero();
  }

  @Test
  void mailForADestinationThatIsLeftAloneStillExpires() throws Exception {
    settings.add("[delivery]\nmessage_expiration = \"1h\"\nscan_interval = \"100ms\"");
    settings.add("[delivery.circuit_breaker]\nfailures = 1");
    start(command -> command.equals("CONNECT") ? "421 4.3.2 overloaded" : polite(command));
    accept("from@here.test", "x\r\n", "to@there.test");
    await().until(() -> closedDestinations() == 1 && queue.stats().running() == 0);
    int connections = server.connections();
    aheadMillis.addAndGet(Duration.ofHours(2).toMillis());
    await()
        .until(
            () -> {
              aheadMillis.addAndGet(
                  Duration.ofMinutes(1).toMillis()); // ages are checked once a minute
              return spool.notifications().size() == 1;
            });
    assertThat(spool.outcomes().getLast().status()).hasToString("5.4.7");
    assertThat(content(0)).contains("Action: failed");
    assertThat(server.connections()).isEqualTo(connections);
  }

  @Test
  void aHintStartsDeliveryWithoutASweep() throws Exception {
    start(ScriptedServer::polite);
    QueueId id = spool.accept(envelope("from@here.test", "to@there.test"), "x\r\n", millis());
    queue.messageDue(spool, id, spool.domains(id));
    awaitEmpty();
    assertThat(server.messages()).hasSize(1);
  }

  @Test
  void ofAnAliasForSeveralItsExpansionIsToldAndNothingIsDeliveredToIt() throws Exception {
    start(ScriptedServer::polite);
    MailAddress alias = MailAddress.of("all@there.test");
    String written = "rfc822;all@there.test";
    Recipient member = new Recipient(MailAddress.of("to@there.test"), Notify.NEVER, written);
    Notify success = new Notify(true, true, false, false);
    accept(
        new Envelope(
            ReversePath.of("from@here.test"),
            List.of(member, new Recipient(alias, success, written, true)),
            MailOptions.of(BodyType.SEVEN_BIT)));
    awaitEmpty();
    assertThat(server.commands()).contains("RCPT TO:<to@there.test>");
    assertThat(server.commands()).doesNotContain("RCPT TO:<all@there.test>");
    assertThat(spool.notifications()).hasSize(1);
    assertThat(content(0))
        .contains(
            "Original-Recipient: rfc822; all@there.test\r\nFinal-Recipient: rfc822; all@there.test")
        .contains("Action: expanded\r\nStatus: 2.1.5\r\n");
  }

  @Test
  void aNodeWithoutTheRoleDeliversNothing() throws Exception {
    roles = "\"receive\"";
    start(ScriptedServer::polite);
    accept("from@here.test", "x\r\n", "to@there.test");
    queue.sweepNow();
    await()
        .during(Duration.ofMillis(300))
        .atMost(Duration.ofSeconds(5))
        .until(() -> server.connections() == 0 && spool.size() == 1);
  }

  @Test
  void concurrencyGrowsButNotAboveItsBound() throws Exception {
    settings.add("[delivery.domains.\"there.test\"]\nmax_connections = 7");
    start(ScriptedServer::polite);
    for (int i = 0; i < 300; i++) accept("from@here.test", "x\r\n", "to@there.test");
    awaitEmpty();
    assertThat(server.mostAtOnce()).isBetween(2, 7);
    assertThat(server.messages()).hasSize(300);
  }

  /** After a restart nobody knows which hosts are living; thirty of them do not answer at all. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void hostsThatDoNotAnswerHardlyDelayALivingOne(boolean known) throws Exception {
    settings.add("[delivery]\nmax_concurrent_deliveries = 20");
    try (BlackHole hole = new BlackHole("0.0.0.0")) {
      Map<String, HostPort> holes = new HashMap<>();
      for (int i = 1; i <= 30; i++)
        holes.put("hole" + i + ".test", new HostPort("127.0.1." + i, hole.port()));
      overrides.replaceAll(holes);
      start(ScriptedServer::polite);
      if (known) accept("from@here.test", "x\r\n", "to@there.test");
      if (known) await().until(() -> spool.size() == 0);
      for (String domain : holes.keySet()) {
        for (int i = 0; i < 3; i++) accept("from@here.test", "x\r\n", "to@" + domain);
      }
      await().until(() -> queue.stats().running() >= 8);
      for (int i = 0; i < 20; i++) accept("from@here.test", "x\r\n", "to@there.test");
      await()
          .atMost(Duration.ofSeconds(known ? 5 : 20)) // one connect timeout alone has 30 s
          .until(() -> server.messages().size() == (known ? 21 : 20));
      assertThat(queue.stats().running()).as("the rest is for open connections").isLessThan(15);
    }
  }

  @Test
  void aRuleCanFailDeferAndSuspend() throws Exception {
    start(
        command -> {
          if (command.equals("RCPT TO:<a@one.test>")) return "450 4.1.1 never";
          if (command.equals("RCPT TO:<b@two.test>")) return "550 5.1.1 soon";
          return command.equals("RCPT TO:<c@three.test>") ? "451 4.0.0 go away" : polite(command);
        });
    useRules(
        """
        [[rule]]
        name = "never"
        class = "bad-mailbox"
        text = ["never"]
        action = "fail"
        [[rule]]
        name = "soon"
        class = "policy"
        text = ["soon"]
        action = "defer"
        for = "10m"
        [[rule]]
        name = "away"
        class = "spam-block"
        text = ["go away"]
        action = "suspend"
        for = "1h"
        """);
    List<SuspensionRequest> requests = new CopyOnWriteArrayList<>();
    queue.onSuspensionRequest(requests::add);
    accept("from@here.test", "x\r\n", "a@one.test", "b@two.test", "c@three.test");
    await().until(() -> spool.outcomes().size() >= 3);
    Outcome failed = outcome("never");
    assertThat(failed).isInstanceOf(Outcome.Failed.class);
    assertThat(failed.status()).hasToString("5.1.1");
    Outcome.Deferred deferred = (Outcome.Deferred) outcome("soon");
    assertThat(deferred.status()).hasToString("4.1.1");
    assertThat(deferred.until()).isBetween(START.plusSeconds(600), now().plusSeconds(600));
    await().until(() -> !requests.isEmpty());
    assertThat(requests)
        .containsExactly(
            new SuspensionRequest(
                "three.test", Duration.ofHours(1), outcome("go away").diagnostic(), "rule:away"));
    assertThat(failures("bad-mailbox", "failed")).isEqualTo(1);
    assertThat(failures("policy", "deferred")).isEqualTo(1);
    assertThat(failures("spam-block", "deferred")).isEqualTo(1);
  }

  /** A rule that waits longer than the schedule does must not make mail due at once. */
  @Test
  void theWaitOfARuleIsBoundedByThatOfTheSchedule() throws Exception {
    settings.add("[delivery]\nmax_retry_delay = '10m'");
    start(command -> command.startsWith("RCPT") ? "451 4.0.0 soon" : polite(command));
    useRules(
        """
        [[rule]]
        name = "soon"
        class = "policy"
        text = ["soon"]
        action = "defer"
        for = "5d"
        """);
    accept("from@here.test", "x\r\n", "to@there.test");
    await().until(() -> !spool.outcomes().isEmpty());
    Outcome.Deferred deferred = (Outcome.Deferred) outcome("soon");
    assertThat(deferred.until()).isBetween(START.plusSeconds(600), now().plusSeconds(600));
  }

  @Test
  void theHostOfARouteThatWantsALoginGetsTheMailLater() throws Exception {
    start(
        command ->
            command.startsWith("MAIL") ? "530 5.7.0 Authentication required" : polite(command));
    accept("from@here.test", "x\r\n", "to@there.test");
    await().until(() -> !spool.outcomes().isEmpty());
    assertThat(spool.outcomes().getFirst()).isInstanceOf(Outcome.Deferred.class);
    assertThat(spool.outcomes().getFirst().status()).hasToString("4.7.0");
    assertThat(spool.notifications()).isEmpty();
    assertThat(failures("authentication", "deferred")).isEqualTo(1);
  }

  @Test
  void aDestinationThatIsRateLimitedGetsOneSessionAndFewMessages() throws Exception {
    AtomicInteger mails = new AtomicInteger();
    start(
        command ->
            command.startsWith("RCPT") && mails.incrementAndGet() == 1
                ? "451 4.7.1 rate limit"
                : polite(command));
    useRules("[action.rate-limited]\naction = 'slow-down'\nfor = '1h'\nrate = '1/h'\n");
    accept("from@here.test", "x\r\n", "to@there.test");
    await().until(() -> !spool.outcomes().isEmpty());
    await().until(() -> queue.running() == 0);
    for (int i = 0; i < 20; i++) accept("from@here.test", "x\r\n", "to@there.test");
    await().until(() -> spool.outcomes().size() == 2); // the one message of the hour
    queue.sweepNow();
    await().during(Duration.ofMillis(300)).until(() -> spool.outcomes().size() == 2);
    assertThat(meters.counter("delivery.slowdowns").count()).isEqualTo(1);
  }

  @Test
  void anOperatorBouncesWhatWaitsAndItsSenderHearsOnce() throws Exception {
    start(c -> c.startsWith("RCPT TO:<to") ? "451 4.0.0 later" : polite(c));
    QueueId id = accept("from@here.test", "Subject: hello\r\n\r\nx\r\n", "to@there.test");
    await().until(() -> spool.outcomes().size() == 1);
    var order = new OperatorCommand.Bounce("sent by mistake", false);
    await().until(() -> queue.bounce(id, order) == BounceResult.DONE);
    assertThat(spool.outcomes().get(1))
        .isEqualTo(
            new Outcome.Failed(
                new EnhancedStatus(5, 7, 1), "bounced by an operator: sent by mistake", ""));
    awaitEmpty();
    assertThat(spool.notifications()).hasSize(1);
    assertThat(content(0)).contains("Status: 5.7.1", "bounced by an operator: sent by mistake");
    assertThat(queue.bounce(id, order)).isEqualTo(BounceResult.NOT_OWNED);
    assertThat(failures("operator", "failed")).isEqualTo(1);
  }

  @Test
  void aSilentBounceAndThatOfAReportReportNothing() throws Exception {
    start(c -> c.startsWith("RCPT") ? "451 4.0.0 later" : polite(c));
    QueueId silent = accept("from@here.test", "x\r\n", "to@there.test");
    QueueId report = accept("", "x\r\n", "to@there.test");
    await().until(() -> spool.outcomes().size() == 2);
    await()
        .until(
            () -> queue.bounce(silent, new OperatorCommand.Bounce("", true)) == BounceResult.DONE);
    await()
        .until(
            () -> queue.bounce(report, new OperatorCommand.Bounce("", false)) == BounceResult.DONE);
    assertThat(spool.size()).isZero();
    assertThat(spool.notifications()).isEmpty();
  }

  /** A recipient must not be delivered and bounced. */
  @Test
  void whatIsBeingDeliveredIsNotBounced() throws Exception {
    CountDownLatch dot = new CountDownLatch(1);
    CountDownLatch answer = new CountDownLatch(1);
    start(
        command -> {
          if (command.equals(".")) {
            dot.countDown();
            awaitQuietly(answer);
          }
          return polite(command);
        });
    QueueId id = accept("from@here.test", "x\r\n", "to@there.test");
    dot.await();
    assertThat(queue.bounce(id, new OperatorCommand.Bounce("", false)))
        .isEqualTo(BounceResult.IN_PROGRESS);
    answer.countDown();
    awaitEmpty();
    assertThat(spool.outcomes()).singleElement().isInstanceOf(Outcome.Delivered.class);
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void useRules(String toml) throws IOException {
    Path file = directory.resolve("rules.toml");
    Files.writeString(file, toml);
    queue.replaceClassifier(FailureClassifier.open(Optional.of(file)));
  }

  private Outcome outcome(String words) {
    return spool.outcomes().stream()
        .filter(o -> o.diagnostic().contains(words))
        .findFirst()
        .orElseThrow();
  }

  private double failures(String failureClass, String status) {
    return meters.counter("delivery.failures", "class", failureClass, "status", status).count();
  }

  @Test
  void aSuspendedDomainWaitsUntilItIsResumed() throws Exception {
    start(ScriptedServer::polite);
    queue.replaceSuspensions(Map.of("there.test", Instant.now().plusSeconds(3600)));
    accept("from@here.test", "x\r\n", "to@there.test");
    accept("from@here.test", "x\r\n", "to@else.test");
    await().until(() -> spool.size() == 1);
    assertThat(server.commands()).doesNotContain("RCPT TO:<to@there.test>");
    assertThat(queue.isSuspended("There.Test")).isTrue();
    queue.replaceSuspensions(Map.of());
    awaitEmpty();
  }

  @Test
  void aDrainedQueueStartsNothing() throws Exception {
    start(ScriptedServer::polite);
    assertThat(queue.drain(Duration.ofSeconds(5))).isTrue();
    accept("from@here.test", "x\r\n", "to@there.test");
    queue.sweepNow();
    await().pollDelay(Duration.ofMillis(100)).until(() -> queue.stats().running() == 0);
    assertThat(server.connections()).isZero();
  }

  @Test
  void aQueueThatWasStoppedGoesOnWhenItIsResumed() throws Exception {
    start(ScriptedServer::polite);
    queue.stopAll();
    accept("from@here.test", "x\r\n", "to@there.test");
    queue.sweepNow();
    await().pollDelay(Duration.ofMillis(100)).until(() -> queue.running() == 0);
    assertThat(server.connections()).isZero();
    queue.resumeAll();
    awaitEmpty();
  }

  @Test
  void anAttemptThatIsCutOffSendsNoFinalDotAndIsMadeAgain() throws Exception {
    CountDownLatch data = new CountDownLatch(1);
    CountDownLatch stopped = new CountDownLatch(1);
    start(
        command -> {
          if (command.equals("DATA")) {
            data.countDown();
            await().until(() -> stopped.getCount() == 0);
          }
          return polite(command);
        });
    accept("from@here.test", "x\r\n", "to@there.test");
    data.await();
    queue.stopAll();
    assertThat(queue.running()).isEqualTo(1);
    queue.stopDots();
    assertThat(queue.inDoubt()).isZero();
    stopped.countDown();
    await().until(() -> queue.running() == 0);
    assertThat(server.messages()).isEmpty();
    assertThat(spool.size()).isEqualTo(1);
    queue.resumeAll();
    awaitEmpty();
    assertThat(server.messages()).hasSize(1);
  }

  @Test
  void aFinalDotThatIsOutIsCountedUntilItsOutcomeIsRecorded() throws Exception {
    CountDownLatch dot = new CountDownLatch(1);
    CountDownLatch answer = new CountDownLatch(1);
    start(
        command -> {
          if (!command.equals(".")) return polite(command);
          dot.countDown();
          await().until(() -> answer.getCount() == 0);
          return polite(command);
        });
    accept("from@here.test", "x\r\n", "to@there.test");
    dot.await();
    queue.stopAll();
    queue.stopDots();
    assertThat(queue.inDoubt()).isEqualTo(1);
    answer.countDown();
    await().until(() -> queue.inDoubt() == 0);
    await().until(() -> queue.running() == 0);
    assertThat(spool.size()).isZero();
  }

  @Test
  void aDrainedSpoolIsTakenUpAgainWhenItStays() throws Exception {
    start(ScriptedServer::polite);
    assertThat(queue.drain(spool, Duration.ofSeconds(5))).isTrue();
    accept("from@here.test", "x\r\n", "to@there.test");
    queue.resume(spool);
    awaitEmpty();
  }

  @Test
  void aDomainThatDoesNotExistFailsAtOnce() throws Exception {
    start(ScriptedServer::polite, "mx");
    acceptReport("x\r\n", "to@nowhere.test");
    awaitEmpty();
    assertThat(spool.outcomes().getFirst().status()).hasToString("5.1.2");
  }

  @Test
  void anOverrideDoesNotDoubleTheAttemptThatIsUnderWay() throws Exception {
    CountDownLatch answer = new CountDownLatch(1);
    CountDownLatch dot = new CountDownLatch(1);
    start(
        command -> {
          if (!command.equals(".")) return polite(command);
          dot.countDown();
          await().until(() -> answer.getCount() == 0);
          return polite(command);
        });
    accept("from@here.test", "first\r\n", "to@there.test");
    dot.await();
    try (ScriptedServer elsewhere = new ScriptedServer(ScriptedServer::polite)) {
      overrides.replaceAll(Map.of("There.Test", new HostPort("127.0.0.1", elsewhere.port())));
      accept("from@here.test", "second\r\n", "to@there.test");
      queue.sweepNow();
      await().until(() -> spool.size() == 1);
      await()
          .during(Duration.ofMillis(300))
          .atMost(Duration.ofSeconds(5))
          .until(() -> elsewhere.messages().size() == 1);
      answer.countDown();
      awaitEmpty();
      assertThat(elsewhere.messages()).containsExactly("second\r\n");
    }
    assertThat(server.messages()).containsExactly("first\r\n");
  }

  @Test
  void longRepliesAboutManyRecipientsFitIntoTheLog() throws Exception {
    String reply = "550 5.1.1 " + "no such user here. ".repeat(25);
    start(command -> command.startsWith("RCPT TO:<r") ? reply : polite(command));
    accept(
        "from@here.test",
        "x\r\n".repeat(16_000),
        IntStream.range(0, 1000).mapToObj(i -> "r" + i + "@there.test").toArray(String[]::new));
    awaitEmpty();
    assertThat(spool.outcomes().stream().filter(o -> o instanceof Outcome.Failed)).hasSize(1000);
    assertThat(spool.mostRecorded()).isLessThanOrEqualTo(OwnedSpool.RECORD_BYTES_MAX);
    String reports = "";
    for (int i = 0; i < spool.notifications().size(); i++) reports += content(i);
    for (int i : new int[] {0, 1, 500, 999}) {
      assertThat(reports).containsOnlyOnce("Final-Recipient: rfc822; r" + i + "@there.test\r\n");
    }
  }

  @Test
  void ordinaryRepliesAboutAThousandRecipientsAreOneReport() throws Exception {
    String reply = "550 5.1.1 <recipient@there.test>: user unknown in virtual mailbox table";
    start(command -> command.startsWith("RCPT TO:<r") ? reply : polite(command));
    accept(
        "from@here.test",
        "x\r\n",
        IntStream.range(0, 1000).mapToObj(i -> "r" + i + "@there.test").toArray(String[]::new));
    awaitEmpty();
    assertThat(spool.notifications()).hasSize(1);
  }

  @Test
  void aMessageThatIsHintedBeforeItsTimeIsTakenUpWhenItComes() throws Exception {
    start(ScriptedServer::polite);
    accept("from@here.test", "x\r\n", "to@there.test");
    awaitEmpty(); // the first sweep is over, the next by interval is half a minute away
    QueueId id = spool.accept(envelope("from@here.test", "to@there.test"), "y\r\n", millis() + 700);
    queue.messageDue(spool, id, spool.domains(id));
    await().atMost(Duration.ofSeconds(10)).until(() -> spool.size() == 0);
  }

  private long closedDestinations() {
    return queue.stats().destinations().stream()
        .filter(d -> d.circuitOpenFor().isPositive())
        .count();
  }

  private String roles = "\"receive\", \"deliver\"";

  private void start(Script script) throws IOException {
    start(script, "");
  }

  private void start(Script script, String hop) throws IOException {
    server = new ScriptedServer(script);
    String to = hop.isEmpty() ? "smtp://127.0.0.1:" + server.port() : hop;
    Config config =
        TestConfig.of(
            """
            hostname = "here.test"
            roles = [%s]
            [[route]]
            domain = "*"
            to = ["%s"]
            [node]
            data_directory = "%s"
            %s
            """
                .formatted(roles, to, directory, String.join("\n", settings)));
    queue =
        DeliveryQueue.start(
            TestConfig.agent(config, overrides, meters),
            config.delivery(),
            new DsnComposer(config.hostname(), config.delivery().dsn()),
            config.roles().contains(Config.Role.DELIVER),
            meters,
            this::now,
            () -> System.nanoTime() + Duration.ofMillis(aheadMillis.get()).toNanos());
    spool.tell(queue);
    queue.spoolOwned(spool);
  }

  private Instant now() {
    return START
        .plusMillis(aheadMillis.get() + clockErrorMillis.get())
        .plusNanos(System.nanoTime() - startNanos);
  }

  private final long startNanos = System.nanoTime();

  private long millis() {
    return now().toEpochMilli();
  }

  private QueueId accept(String from, String content, String... to) {
    QueueId id = spool.accept(envelope(from, to), content, millis());
    queue.messageDue(spool, id, spool.domains(id));
    return id;
  }

  private void accept(Envelope envelope) {
    QueueId id = spool.accept(envelope, "Subject: s\r\n\r\nthe body\r\n", millis());
    queue.messageDue(spool, id, spool.domains(id));
  }

  private static Envelope asking(String to, Notify notify) {
    MailOptions plain = MailOptions.of(BodyType.SEVEN_BIT);
    return new Envelope(
        ReversePath.of("from@here.test"),
        List.of(new Recipient(MailAddress.of(to), notify, "rfc822;first@there.test")),
        new MailOptions(
            plain.body(), false, false, false, "Q+3D1", plain.returned(), 0, 0, plain.deliverBy()));
  }

  private void acceptReport(String content, String to) {
    accept("", content, to);
  }

  private static Envelope envelope(String from, String... to) {
    return new Envelope(
        ReversePath.of(from), Stream.of(to).map(MailAddress::of).toList(), BodyType.SEVEN_BIT);
  }

  private void awaitEmpty() {
    await().atMost(Duration.ofSeconds(20)).until(() -> spool.size() == 0);
  }

  private String content(int notification) {
    byte[] bytes = spool.notifications().get(notification).content();
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }
}
