package org.quorumail.delivery;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.quorumail.smtp.client.ScriptedServer.polite;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.MailOptions;
import org.quorumail.mail.Outcome;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.RecipientOutcome;
import org.quorumail.mail.ReversePath;
import org.quorumail.node.Config;
import org.quorumail.smtp.NextHopLimits;
import org.quorumail.smtp.client.BlackHole;
import org.quorumail.smtp.client.ScriptedServer;
import org.quorumail.smtp.client.ScriptedServer.Script;
import org.quorumail.smtp.client.SmtpClient;
import org.quorumail.smtp.client.TestTls;
import org.quorumail.spool.SpooledMessage;
import org.quorumail.spool.SpooledMessage.RecipientState;
import org.quorumail.spool.SpooledMessage.RecipientStatus;

class DeliveryAgentTest {
  @Test
  void theNextExchangerIsTriedWhenOneDoesNotTalk() throws IOException {
    try (ScriptedServer server =
        new ScriptedServer(
            new ScriptedServer.Script() {
              private boolean refused;

              @Override
              public synchronized String answer(String command) {
                if (!command.equals("CONNECT") || refused) return polite(command);
                refused = true;
                return "421 4.3.2 overloaded";
              }
            })) {
      FakeResolver resolver =
          new FakeResolver()
              .mx("d.test", 10, "first.test", "127.0.0.1")
              .mx("d.test", 20, "second.test", "127.0.0.1");
      List<Outcome> outcomes = attempt(resolver, "", "d.test", server.port());
      assertThat(outcomes.getFirst())
          .isInstanceOfSatisfying(
              Outcome.Delivered.class, d -> assertThat(d.remote()).startsWith("second.test["));
    }
  }

  /** RFC 5321 §5.1: the hosts in their order, until a delivery succeeds. */
  @ParameterizedTest
  @CsvSource({
    "EHLO, 421 4.3.2 busy", "EHLO, 451 4.3.0 later", "EHLO, CUT",
    "MAIL, 421 4.3.2 busy", "MAIL, 451 4.3.0 later", "MAIL, CUT",
    "RCPT, 421 4.3.2 busy", "RCPT, 451 4.3.0 later", "RCPT, CUT",
    "DATA, 421 4.3.2 busy", "DATA, 451 4.3.0 later", "DATA, CUT",
    "., 451 4.3.0 no disk", "., 421 4.3.2 busy"
  })
  void theNextExchangerIsTriedWhereverTheFirstFailsForNow(String where, String answer)
      throws IOException {
    try (ScriptedServer server = new ScriptedServer(new FirstConnectionFails(where, answer))) {
      List<Outcome> outcomes = attempt(twoExchangers(), "", "d.test", server.port());
      assertThat(outcomes)
          .singleElement()
          .isInstanceOfSatisfying(
              Outcome.Delivered.class, d -> assertThat(d.remote()).startsWith("second.test["));
      assertThat(server.connections()).isEqualTo(2);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"CONTENT", "."})
  void whatIsInDoubtIsNotSentToAnotherExchanger(String where) throws IOException {
    try (ScriptedServer server = new ScriptedServer(new FirstConnectionFails(where, "CUT"))) {
      List<Outcome> outcomes = attempt(twoExchangers(), "", "d.test", server.port());
      assertThat(outcomes).singleElement().isInstanceOf(Outcome.Deferred.class);
      assertThat(server.connections()).isEqualTo(1);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"250 2.0.0 fine", "CUT"})
  void onlyRecipientsWithoutAFinalOutcomeGoToTheNextExchanger(String dot) throws IOException {
    Script first =
        command ->
            command.startsWith("RCPT TO:<to1@")
                ? "550 5.1.1 no"
                : command.startsWith("RCPT TO:<to2@") ? "450 4.2.1 not now" : polite(command);
    try (ScriptedServer server = new ScriptedServer(new FirstConnectionFails(".", dot, first));
        DeliveryAgent agent = agent(twoExchangers(), "", server.port())) {
      SpooledMessage message = message("d.test", MailOptions.of(BodyType.SEVEN_BIT), 3);
      List<RecipientOutcome> outcomes = deliver(agent, message);
      assertThat(outcomes)
          .extracting(o -> o.recipientIndex() + o.outcome().getClass().getSimpleName())
          .containsExactlyInAnyOrder(
              dot.equals("CUT") ? "0Deferred" : "0Delivered", "1Failed", "2Delivered");
      assertThat(server.commands())
          .filteredOn(c -> c.startsWith("RCPT"))
          .containsExactly(
              "RCPT TO:<to0@d.test>",
              "RCPT TO:<to1@d.test>",
              "RCPT TO:<to2@d.test>",
              "RCPT TO:<to2@d.test>");
    }
  }

  @Test
  void oneAttemptAsksFiveExchangersThatDeferAtMost() throws IOException {
    try (ScriptedServer server =
        new ScriptedServer(c -> c.startsWith("MAIL") ? "451 4.3.0 later" : polite(c))) {
      FakeResolver resolver = new FakeResolver();
      for (int i = 0; i < 8; i++) resolver.mx("d.test", i, "mx" + i + ".test", "127.0.0.1");
      List<Outcome> outcomes = attempt(resolver, "", "d.test", server.port());
      assertThat(outcomes)
          .singleElement()
          .isInstanceOfSatisfying(
              Outcome.Deferred.class, d -> assertThat(d.diagnostic()).startsWith("451 4.3.0"));
      assertThat(server.connections()).isEqualTo(5);
    }
  }

  @Test
  void theReplyOfASickExchangerOutweighsADeadOne() throws IOException {
    try (ScriptedServer server = new ScriptedServer(new FirstConnectionFails("MAIL", "451 no"))) {
      FakeResolver resolver =
          new FakeResolver()
              .mx("d.test", 10, "first.test", "127.0.0.1")
              .mx("d.test", 20, "second.test", "127.0.0.2");
      assertThat(attempt(resolver, "", "d.test", server.port()))
          .singleElement()
          .isInstanceOfSatisfying(
              Outcome.Deferred.class, d -> assertThat(d.remote()).startsWith("first.test["));
    }
  }

  @Test
  void theManyAddressesOfOneExchangerLeaveOneForTheNext() throws IOException {
    try (ScriptedServer server = new ScriptedServer(new FirstConnectionFails("MAIL", "CUT"))) {
      FakeResolver resolver =
          new FakeResolver()
              .mx(
                  "d.test",
                  10,
                  "first.test",
                  "127.0.0.1",
                  "127.0.0.2",
                  "127.0.0.3",
                  "127.0.0.4",
                  "127.0.0.5",
                  "127.0.0.6")
              .mx("d.test", 20, "second.test", "127.0.0.1");
      assertThat(attempt(resolver, "", "d.test", server.port()).getFirst())
          .isInstanceOfSatisfying(
              Outcome.Delivered.class, d -> assertThat(d.remote()).startsWith("second.test["));
    }
  }

  /** Behind a translated address only the greeting shows that this node is the backup exchanger. */
  @ParameterizedTest
  @ValueSource(strings = {"CONNECT", "MAIL"})
  void mailWaitsForANearerExchangerThatIsSick(String where) throws IOException {
    Script hereNext = c -> c.equals("CONNECT") ? "220 here.test hello" : polite(c);
    Script first =
        new FirstConnectionFails(where, "421 4.3.2 later", ScriptedServer::polite, hereNext);
    try (ScriptedServer server = new ScriptedServer(first)) {
      assertThat(attempt(twoExchangers(), "", "d.test", server.port()))
          .singleElement()
          .isInstanceOfSatisfying(
              Outcome.Deferred.class,
              d -> {
                assertThat(d.diagnostic()).contains("421 4.3.2 later");
                assertThat(d.remote()).startsWith("first.test[");
              });
    }
  }

  /** A reply about the session says nothing about the recipient of the next message. */
  @ParameterizedTest
  @CsvSource({
    "RSET, 503 5.5.0 not available",
    "RSET, 502 5.5.1 not implemented",
    "RSET, 451 4.3.0 no",
    "none, ''"
  })
  void aSessionThatRefusesTheNextTransactionIsReplaced(String where, String answer)
      throws IOException {
    Script first =
        new Script() {
          private int mails;

          @Override
          public synchronized String answer(String command) {
            if (command.startsWith("RCPT")) return "550 5.1.1 nobody";
            boolean nested = command.startsWith("MAIL") && mails++ > 0;
            return nested ? "503 5.5.1 nested MAIL command" : polite(command);
          }
        };
    try (ScriptedServer server =
            new ScriptedServer(new FirstConnectionFails(where, answer, first));
        DeliveryAgent agent = agent(new FakeResolver(), route(hop(server)), 1)) {
      SpooledMessage message = message("d.test", MailOptions.of(BodyType.SEVEN_BIT), 1);
      assertThat(deliver(agent, message).getFirst().outcome()).isInstanceOf(Outcome.Failed.class);
      assertThat(deliver(agent, message).getFirst().outcome())
          .isInstanceOf(Outcome.Delivered.class);
      assertThat(server.connections()).isEqualTo(2);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "MAIL, 503 5.5.1 nested MAIL command",
    "MAIL, 500 unknown command",
    "RCPT, 503 no MAIL",
    "DATA, 503 5.5.1 no RCPT",
    "DATA, 554 5.5.1 no valid recipients"
  })
  void aPermanentReplyAboutTheTransactionFailsNoRecipient(String where, String answer)
      throws IOException {
    Script always = c -> c.startsWith(where) ? answer : polite(c);
    try (ScriptedServer server = new ScriptedServer(always)) {
      FakeResolver one = new FakeResolver().mx("d.test", 10, "first.test", "127.0.0.1");
      assertThat(attempt(one, "", "d.test", server.port()))
          .singleElement()
          .isInstanceOfSatisfying(
              Outcome.Deferred.class, d -> assertThat(d.diagnostic()).contains(answer));
    }
    try (ScriptedServer server = new ScriptedServer(new FirstConnectionFails(where, answer))) {
      assertThat(attempt(twoExchangers(), "", "d.test", server.port()))
          .singleElement()
          .isInstanceOf(Outcome.Delivered.class);
    }
  }

  @Test
  void aSequenceErrorAboutOneOfSeveralRecipientsIsItsOwn() throws IOException {
    Script script = c -> c.startsWith("RCPT TO:<to0") ? "503 5.5.1 log in first" : polite(c);
    try (ScriptedServer server = new ScriptedServer(script);
        DeliveryAgent agent = agent(new FakeResolver(), route(hop(server)), 1)) {
      SpooledMessage message = message("d.test", MailOptions.of(BodyType.SEVEN_BIT), 2);
      assertThat(deliver(agent, message))
          .extracting(o -> o.recipientIndex() + o.outcome().getClass().getSimpleName())
          .containsExactlyInAnyOrder("0Failed", "1Delivered");
    }
  }

  /** RFC 5321 §4.5.3.1.10: 552 from servers that follow RFC 821. */
  @ParameterizedTest
  @ValueSource(strings = {"552 Too many recipients", "552 5.5.3 limit of 3", "552 full", "452 no"})
  void recipientsThatAreTooManyGoInAnotherTransaction(String answer) throws IOException {
    AtomicInteger inTransaction = new AtomicInteger();
    Script three =
        c -> {
          if (c.startsWith("MAIL")) inTransaction.set(0);
          boolean tooMany = c.startsWith("RCPT") && inTransaction.incrementAndGet() > 3;
          return tooMany ? answer : polite(c);
        };
    try (ScriptedServer server = new ScriptedServer(three);
        DeliveryAgent agent = agent(new FakeResolver(), route(hop(server)), 1)) {
      SpooledMessage message = message("d.test", MailOptions.of(BodyType.SEVEN_BIT), 8);
      assertThat(deliver(agent, message))
          .hasSize(8)
          .allMatch(o -> o.outcome() instanceof Outcome.Delivered);
      assertThat(server.messages()).hasSize(3);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "552 5.2.2 mailbox full, Failed",
    "552 mailbox full, Failed",
    "552 5.5.3 too many, Deferred",
    "552 too many recipients today, Deferred"
  })
  void aFullMailboxFailsAndALimitDefers(String answer, String outcome) throws IOException {
    Script script = c -> c.startsWith("RCPT TO:<to1") ? answer : polite(c);
    try (ScriptedServer server = new ScriptedServer(script);
        DeliveryAgent agent = agent(new FakeResolver(), route(hop(server)), 1)) {
      SpooledMessage message = message("d.test", MailOptions.of(BodyType.SEVEN_BIT), 2);
      assertThat(deliver(agent, message))
          .extracting(o -> o.recipientIndex() + o.outcome().getClass().getSimpleName())
          .containsExactlyInAnyOrder("0Delivered", "1" + outcome);
    }
  }

  /** The host may have moved since DNS was asked. */
  @Test
  void aTrialOfTheOperatorAsksDnsAgain() throws IOException {
    try (ScriptedServer server = new ScriptedServer(ScriptedServer::polite)) {
      FakeResolver resolver = new FakeResolver().mx("d.test", 10, "first.test", "127.0.0.1");
      try (DeliveryAgent agent = agent(resolver, "", server.port())) {
        SpooledMessage message = message("d.test", MailOptions.of(BodyType.SEVEN_BIT), 1);
        deliver(agent, message);
        assertThat(resolver.forgotten()).isEmpty();
        agent.requestTrial(agent.destination("d.test"));
        deliver(agent, message);
        assertThat(resolver.forgotten()).containsExactly("d.test");
      }
    }
  }

  private static FakeResolver twoExchangers() {
    return new FakeResolver()
        .mx("d.test", 10, "first.test", "127.0.0.1")
        .mx("d.test", 20, "second.test", "127.0.0.1");
  }

  static List<RecipientOutcome> deliver(DeliveryAgent agent, SpooledMessage message) {
    Destination destination = agent.destination("d.test");
    assertThat(agent.admit(destination)).isInstanceOf(Admission.Granted.class);
    List<RecipientOutcome> outcomes = new ArrayList<>();
    try (DeliveryAttempt attempt = agent.begin(destination, order(message, true))) {
      while (!attempt.isFinished()) {
        outcomes.addAll(((AttemptResult.Outcomes) attempt.next()).outcomes());
      }
    }
    return outcomes;
  }

  /** The first connection answers one command otherwise; connections must not overlap. */
  private static final class FirstConnectionFails implements Script {
    private final String where;
    private final String answer;
    private final Script first;
    private final Script others;
    private int connections;

    FirstConnectionFails(String where, String answer) {
      this(where, answer, ScriptedServer::polite);
    }

    FirstConnectionFails(String where, String answer, Script first) {
      this(where, answer, first, ScriptedServer::polite);
    }

    FirstConnectionFails(String where, String answer, Script first, Script others) {
      this.where = where;
      this.answer = answer;
      this.first = first;
      this.others = others;
    }

    @Override
    public synchronized String answer(String command) {
      if (command.equals("CONNECT")) connections++;
      if (connections > 1) return others.answer(command);
      return command.startsWith(where) ? answer : first.answer(command);
    }
  }

  @Test
  void oneAttemptDialsFiveAddressesAtMost() throws IOException {
    try (ScriptedServer server =
        new ScriptedServer(
            c -> c.equals("CONNECT") ? "421 4.3.2 overloaded" : polite(c),
            null,
            new InetSocketAddress(InetAddress.ofLiteral("0.0.0.0"), 0))) {
      FakeResolver resolver =
          new FakeResolver()
              .mx("d.test", 10, "first.test", "127.0.0.1", 6)
              .mx("d.test", 20, "second.test", "127.0.0.1")
              .mx("d.test", 30, "third.test", "127.0.0.1");
      attempt(resolver, "", "d.test", server.port());
      assertThat(server.connections()).isEqualTo(5);
    }
  }

  /** RFC 8305: an address that leads nowhere costs a quarter of a second, not the timeout. */
  @Test
  void anAddressThatDoesNotAnswerDelaysTheNextHardly() throws IOException {
    try (BlackHole hole = new BlackHole("127.0.0.9");
        ScriptedServer server =
            new ScriptedServer(
                ScriptedServer::polite,
                null,
                new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), hole.port()))) {
      FakeResolver resolver =
          new FakeResolver().mx("d.test", 10, "a.test", "127.0.0.9", "127.0.0.1");
      long start = System.nanoTime();
      assertThat(attempt(resolver, "", "d.test", server.port()).getFirst())
          .isInstanceOf(Outcome.Delivered.class);
      assertThat(Duration.ofNanos(System.nanoTime() - start))
          .isBetween(Duration.ofMillis(200), Duration.ofSeconds(15));
    }
  }

  @Test
  void aHostThatRefusesConnectionsDefers() throws IOException {
    FakeResolver resolver = new FakeResolver().mx("d.test", 10, "a.test", "127.0.0.1");
    List<Outcome> outcomes = attempt(resolver, "", "d.test", unusedPort());
    assertThat(outcomes.getFirst())
        .isInstanceOfSatisfying(
            Outcome.Deferred.class, d -> assertThat(d.status()).hasToString("4.4.1"));
  }

  @Test
  void aServerThatHasOurNameIsALoop() throws IOException {
    try (ScriptedServer server =
        new ScriptedServer(c -> c.equals("CONNECT") ? "220 here.test hello" : polite(c))) {
      FakeResolver resolver = new FakeResolver().mx("d.test", 10, "a.test", "127.0.0.1");
      List<Outcome> outcomes = attempt(resolver, "", "d.test", server.port());
      assertThat(outcomes.getFirst())
          .isInstanceOfSatisfying(
              Outcome.Failed.class, d -> assertThat(d.status()).hasToString("5.4.6"));
    }
  }

  @Test
  void aNeighbourOnTheSameMachineMayHaveOurName() throws IOException {
    try (ScriptedServer server =
        new ScriptedServer(c -> c.equals("CONNECT") ? "220 here.test hello" : polite(c))) {
      String route = "[[route]]\ndomain = \"*\"\nto = [\"smtp://127.0.0.1:" + server.port() + "\"]";
      List<Outcome> outcomes = attempt(new FakeResolver(), route, "d.test", 1);
      assertThat(outcomes.getFirst()).isInstanceOf(Outcome.Delivered.class);
    }
  }

  /** RFC 8689 §4.2.1: no host supports it, so no later attempt is of use. */
  @Test
  void whatMustTravelByTlsFailsWhereItIsNotOffered() throws IOException {
    try (ScriptedServer server = new ScriptedServer(ScriptedServer::polite)) {
      String hop = "smtp://127.0.0.1:" + server.port();
      assertThat(strictly(route(hop)).getFirst())
          .isInstanceOfSatisfying(
              Outcome.Failed.class, r -> assertThat(r.status()).hasToString("5.7.30"));
      String other = "smtp://127.0.0.1:" + unusedPort();
      assertThat(strictly(route(hop + "\", \"" + other)).getFirst())
          .as("a host that does not answer may offer it another time")
          .isInstanceOf(Outcome.Deferred.class);
      assertThat(server.commands()).noneMatch(c -> c.startsWith("MAIL"));
    }
  }

  /** Forged DNS names a host with a valid certificate for that name; B7. */
  @ParameterizedTest
  @CsvSource({
    "mx.evil.test, '', 4.7.4",
    "d.test, '', 2.0.0",
    "mx.d.test, '', 2.0.0",
    "mx.evil.test, 'tls_names = [\"mx\"]', 2.0.0",
    "mx.evil.test, 'tls_names = [\".hoster.test\"]', 4.7.4",
    "in.hoster.test, 'tls_names = [\".hoster.test\"]', 2.0.0"
  })
  void requiredTlsDoesNotTrustTheNameThatDnsGivesAnExchanger(
      String certificate, String names, String status) throws IOException {
    try (ScriptedServer server =
        new ScriptedServer(DeliveryAgentTest::withTls, TestTls.server(certificate))) {
      FakeResolver resolver = new FakeResolver().mx("d.test", 10, "mx.evil.test", "127.0.0.1");
      String domain = "[delivery.domains.\"d.test\"]\nrequire_tls = true\n" + names;
      List<Outcome> outcomes = attempt(resolver, domain, "d.test", server.port());
      assertThat(outcomes).singleElement().extracting(Outcome::status).hasToString(status);
      boolean delivered = status.startsWith("2");
      assertThat(server.commands().stream().anyMatch(c -> c.startsWith("MAIL")))
          .isEqualTo(delivered);
    }
  }

  /** RFC 8689 §4.2.1 wants a signed MX record, whatever other mail is content with. */
  @Test
  void theIdleConnectionOfAnExchangerIsNotForRequiretls() throws IOException {
    try (ScriptedServer server =
            new ScriptedServer(DeliveryAgentTest::withTls, TestTls.server("mx.evil.test"));
        DeliveryAgent agent =
            agent(
                new FakeResolver().mx("d.test", 10, "mx.evil.test", "127.0.0.1"),
                "[delivery.domains.\"d.test\"]\nrequire_tls = true\ntls_names = [\"mx\"]",
                server.port())) {
      MailOptions plain = MailOptions.of(BodyType.SEVEN_BIT);
      assertThat(deliver(agent, message("d.test", plain)))
          .singleElement()
          .extracting(RecipientOutcome::outcome)
          .isInstanceOf(Outcome.Delivered.class);
      assertThat(deliver(agent, message("d.test", plain.withRequireTls())))
          .singleElement()
          .extracting(o -> o.outcome().status())
          .hasToString("5.7.30");
      assertThat(server.commands()).filteredOn(c -> c.startsWith("MAIL")).hasSize(1);
    }
  }

  @Test
  void theLimitsOfAHostThatHasTakenMailAreKnown() throws IOException {
    try (ScriptedServer server =
            new ScriptedServer(
                c -> c.startsWith("EHLO") ? "250-far.test\r\n250 SIZE 1000" : polite(c));
        DeliveryAgent agent =
            agent(
                new FakeResolver().mx("d.test", 10, "mx.d.test", "127.0.0.1"), "", server.port())) {
      assertThat(agent.knownLimits("d.test")).isEmpty();
      deliver(agent, message("d.test", MailOptions.of(BodyType.SEVEN_BIT)));
      assertThat(agent.knownLimits("d.test")).contains(new NextHopLimits(1000, false));
      assertThat(agent.knownLimits("other.test")).isEmpty();
    }
  }

  private static String withTls(String command) {
    if (command.startsWith("EHLO")) {
      return "250-far.test\r\n250-PIPELINING\r\n250-REQUIRETLS\r\n250 STARTTLS";
    }
    return command.equals("STARTTLS") ? "220 go" : polite(command);
  }

  private static String route(String to) {
    return "[[route]]\ndomain = \"*\"\nto = [\"" + to + "\"]";
  }

  private static List<Outcome> strictly(String route) {
    MailOptions strict = MailOptions.of(BodyType.SEVEN_BIT).withRequireTls();
    return attempt(new FakeResolver(), route, message("d.test", strict), 1);
  }

  @Test
  void whatIsDiscardedCountsAsDelivered() {
    String route = "[[route]]\ndomain = \"*\"\nto = [\"discard\"]";
    List<Outcome> outcomes = attempt(new FakeResolver(), route, "d.test", 1);
    assertThat(outcomes.getFirst()).isInstanceOf(Outcome.Delivered.class);
  }

  @Test
  void aDiagnosticIsHarmlessInALog() throws IOException {
    try (ScriptedServer server =
        new ScriptedServer(
            c -> c.startsWith("RCPT") ? "550 5.1.1 no\u001b[31m event=delivered" : polite(c))) {
      FakeResolver resolver = new FakeResolver().mx("d.test", 10, "a.test", "127.0.0.1");
      List<Outcome> outcomes = attempt(resolver, "", "d.test", server.port());
      assertThat(outcomes.getFirst().diagnostic()).startsWith("550 5.1.1 no\\x1b[31m");
    }
  }

  private static List<Outcome> attempt(
      FakeResolver resolver, String routes, String domain, int mxPort) {
    MailOptions plain = MailOptions.of(BodyType.SEVEN_BIT);
    return attempt(resolver, routes, message(domain, plain), mxPort);
  }

  private static List<Outcome> attempt(
      FakeResolver resolver, String routes, SpooledMessage message, int mxPort) {
    try (DeliveryAgent agent = agent(resolver, routes, mxPort)) {
      String domain = message.recipients().getFirst().address().domain();
      Destination destination = agent.destination(domain);
      assertThat(agent.admit(destination)).isInstanceOf(Admission.Granted.class);
      List<Outcome> outcomes = new ArrayList<>();
      try (DeliveryAttempt attempt = agent.begin(destination, order(message, true))) {
        while (!attempt.isFinished()) {
          AttemptResult result = attempt.next();
          assertThat(result).isInstanceOf(AttemptResult.Outcomes.class);
          for (RecipientOutcome o : ((AttemptResult.Outcomes) result).outcomes()) {
            outcomes.add(o.outcome());
          }
        }
        assertThat(agent.running()).isEqualTo(1);
        assertThatThrownBy(attempt::next).isInstanceOf(IllegalStateException.class);
      }
      assertThat(agent.running()).isZero();
      return outcomes;
    }
  }

  static DeliveryAgent agent(FakeResolver resolver, String routes, int mxPort) {
    Config config = TestConfig.of("hostname = \"here.test\"\n" + routes);
    return new DeliveryAgent(
        new SmtpClient(config.hostname(), config.delivery().smtpTimeouts(), TestTls.trusting()),
        config.delivery(),
        new Router(config.routes(), config.delivery(), new MxOverrides()),
        new HostFinder(resolver, "", address -> false, mxPort),
        new SimpleMeterRegistry());
  }

  static DeliveryOrder order(SpooledMessage message, boolean dotAllowed) {
    byte[] content = {'x', '\r', '\n'};
    List<Integer> all = IntStream.range(0, message.recipients().size()).boxed().toList();
    return new DeliveryOrder(
        message, all, () -> new ByteArrayInputStream(content), recipients -> dotAllowed);
  }

  private static SpooledMessage message(String domain, MailOptions options) {
    return message(domain, options, 1);
  }

  static SpooledMessage message(String domain, MailOptions options, int recipients) {
    return message(ReversePath.of("from@here.test"), domain, options, recipients);
  }

  private static SpooledMessage message(
      ReversePath sender, String domain, MailOptions options, int recipients) {
    return new SpooledMessage(
        QueueId.generate(Instant.EPOCH),
        sender,
        options,
        0,
        3,
        false,
        false,
        IntStream.range(0, recipients)
            .mapToObj(i -> MailAddress.of("to" + i + "@" + domain))
            .map(to -> new RecipientState(to, RecipientStatus.PENDING, 0, 0, ""))
            .toList());
  }

  /** Customers share a relay: the account of one says nothing about the mail of another. */
  @Test
  void aRefusedLoginHoldsUpTheMailOfItsSendersAlone(@TempDir Path folder) throws IOException {
    Files.writeString(folder.resolve("secret"), "pencil\n");
    String good =
        "AUTH PLAIN " + Base64.getEncoder().encodeToString("\0good\0pencil".getBytes(UTF_8));
    Script relay =
        c ->
            c.startsWith("EHLO")
                ? "250-far.test\r\n250 AUTH PLAIN"
                : c.startsWith("AUTH")
                    ? c.equals(good) ? "235 2.7.0 ok" : "535 5.7.8 no"
                    : polite(c);
    MailOptions options = MailOptions.of(BodyType.SEVEN_BIT);
    try (ScriptedServer server = new ScriptedServer(relay);
        DeliveryAgent agent =
            agent(new FakeResolver(), twoLogins(server.port(), folder), server.port())) {
      SpooledMessage own = message("d.test", options);
      SpooledMessage other = message(ReversePath.of("from@else.test"), "d.test", options, 1);
      for (int i = 0; i < 7; i++) {
        assertThat(deliver(agent, other))
            .singleElement()
            .isInstanceOfSatisfying(
                RecipientOutcome.class,
                o -> assertThat(((Outcome.Deferred) o.outcome()).diagnostic()).contains("535"));
      }
      assertThat(deliver(agent, own).getFirst().outcome()).isInstanceOf(Outcome.Delivered.class);
      // the session of the other account is idle now, and not for these senders
      assertThat(deliver(agent, other).getFirst().outcome()).isInstanceOf(Outcome.Deferred.class);
      assertThat(server.commands()).filteredOn(c -> c.startsWith("MAIL")).hasSize(1);
    }
  }

  private static String twoLogins(int port, Path folder) {
    return """
    [[route]]
    domain = "*"
    to = ["smtp://127.0.0.1:%1$d"]
    [[route.login]]
    sender = "here.test"
    username = "good"
    password_file = "%2$s/secret"
    tls = "opportunistic"
    [[route.login]]
    username = "bad"
    password_file = "%2$s/secret"
    tls = "opportunistic"
    """
        .formatted(port, folder);
  }

  /** The caller can commit each transaction before the next one begins. */
  @Test
  void anAttemptReturnsTheOutcomesOfEachTransaction() throws IOException {
    AtomicInteger inTransaction = new AtomicInteger();
    try (ScriptedServer server =
            new ScriptedServer(
                command -> {
                  if (command.startsWith("MAIL")) inTransaction.set(0);
                  boolean tooMany =
                      command.startsWith("RCPT") && inTransaction.incrementAndGet() > 2;
                  return tooMany ? "452 4.5.3 too many recipients" : polite(command);
                });
        DeliveryAgent agent = agent(new FakeResolver(), route(hop(server)), 1)) {
      Destination destination = agent.destination("d.test");
      SpooledMessage message = message("d.test", MailOptions.of(BodyType.SEVEN_BIT), 5);
      assertThat(agent.admit(destination)).isInstanceOf(Admission.Granted.class);
      List<List<Integer>> steps = new ArrayList<>();
      try (DeliveryAttempt attempt = agent.begin(destination, order(message, true))) {
        while (!attempt.isFinished()) {
          int sent = server.messages().size();
          AttemptResult.Outcomes step = (AttemptResult.Outcomes) attempt.next();
          assertThat(server.messages()).hasSize(sent + 1);
          steps.add(step.outcomes().stream().map(RecipientOutcome::recipientIndex).toList());
        }
      }
      assertThat(steps).containsExactly(List.of(0, 1), List.of(2, 3), List.of(4));
    }
  }

  @Test
  void withoutTheFinalDotNothingIsToBeRecorded() throws IOException {
    try (ScriptedServer server = new ScriptedServer(ScriptedServer::polite);
        DeliveryAgent agent = agent(new FakeResolver(), route(hop(server)), 1)) {
      Destination destination = agent.destination("d.test");
      SpooledMessage message = message("d.test", MailOptions.of(BodyType.SEVEN_BIT), 1);
      assertThat(agent.admit(destination)).isInstanceOf(Admission.Granted.class);
      try (DeliveryAttempt attempt = agent.begin(destination, order(message, false))) {
        assertThat(attempt.next()).isInstanceOf(AttemptResult.NotTried.class);
        assertThat(attempt.isFinished()).isTrue();
      }
      assertThat(server.messages()).isEmpty();
      assertThat(agent.stats().getFirst().idle()).as("the connection is closed").isZero();
    }
  }

  private static String hop(ScriptedServer server) {
    return "smtp://127.0.0.1:" + server.port();
  }

  static int unusedPort() throws IOException {
    try (ServerSocket socket = new ServerSocket()) {
      socket.bind(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0));
      return socket.getLocalPort();
    }
  }
}
