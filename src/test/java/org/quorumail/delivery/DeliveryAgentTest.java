package org.quorumail.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.quorumail.smtp.client.ScriptedServer.polite;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.MailOptions;
import org.quorumail.mail.Outcome;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.RecipientOutcome;
import org.quorumail.mail.ReversePath;
import org.quorumail.node.Config;
import org.quorumail.smtp.client.ScriptedServer;
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

  @Test
  void oneAttemptDialsFiveAddressesAtMost() throws IOException {
    try (ScriptedServer server =
        new ScriptedServer(c -> c.equals("CONNECT") ? "421 4.3.2 overloaded" : polite(c))) {
      FakeResolver resolver =
          new FakeResolver()
              .mx("d.test", 10, "first.test", "127.0.0.1", 6)
              .mx("d.test", 20, "second.test", "127.0.0.1")
              .mx("d.test", 30, "third.test", "127.0.0.1");
      attempt(resolver, "", "d.test", server.port());
      assertThat(server.connections()).isEqualTo(5);
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

  private static DeliveryAgent agent(FakeResolver resolver, String routes, int mxPort) {
    Config config = TestConfig.of("hostname = \"here.test\"\n" + routes);
    return new DeliveryAgent(
        config.hostname(),
        config.delivery(),
        new Router(config.routes(), config.delivery(), new MxOverrides()),
        new HostFinder(resolver, address -> false, mxPort),
        new SimpleMeterRegistry());
  }

  private static DeliveryOrder order(SpooledMessage message, boolean dotAllowed) {
    byte[] content = {'x', '\r', '\n'};
    List<Integer> all = IntStream.range(0, message.recipients().size()).boxed().toList();
    return new DeliveryOrder(
        message, all, () -> new ByteArrayInputStream(content), recipients -> dotAllowed);
  }

  private static SpooledMessage message(String domain, MailOptions options) {
    return message(domain, options, 1);
  }

  private static SpooledMessage message(String domain, MailOptions options, int recipients) {
    return new SpooledMessage(
        QueueId.generate(Instant.EPOCH),
        ReversePath.of("from@here.test"),
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

  private static int unusedPort() throws IOException {
    try (ServerSocket socket = new ServerSocket()) {
      socket.bind(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0));
      return socket.getLocalPort();
    }
  }
}
