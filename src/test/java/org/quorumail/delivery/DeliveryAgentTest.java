package org.quorumail.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.quorumail.smtp.client.ScriptedServer.polite;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.MailOptions;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.ReversePath;
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
      RecordingJob job = attempt(resolver, "", "d.test", server.port());
      assertThat(job.results.getFirst().disposition())
          .isInstanceOfSatisfying(
              Disposition.Delivered.class, d -> assertThat(d.remote()).startsWith("second.test["));
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
    RecordingJob job = attempt(resolver, "", "d.test", unusedPort());
    assertThat(job.results.getFirst().disposition())
        .isInstanceOfSatisfying(
            Disposition.TryLater.class, d -> assertThat(d.status()).hasToString("4.4.1"));
  }

  @Test
  void aServerThatHasOurNameIsALoop() throws IOException {
    try (ScriptedServer server =
        new ScriptedServer(c -> c.equals("CONNECT") ? "220 here.test hello" : polite(c))) {
      FakeResolver resolver = new FakeResolver().mx("d.test", 10, "a.test", "127.0.0.1");
      RecordingJob job = attempt(resolver, "", "d.test", server.port());
      assertThat(job.results.getFirst().disposition())
          .isInstanceOfSatisfying(
              Disposition.Refused.class, d -> assertThat(d.status()).hasToString("5.4.6"));
    }
  }

  @Test
  void aNeighbourOnTheSameMachineMayHaveOurName() throws IOException {
    try (ScriptedServer server =
        new ScriptedServer(c -> c.equals("CONNECT") ? "220 here.test hello" : polite(c))) {
      String route = "[[route]]\ndomain = \"*\"\nto = [\"smtp://127.0.0.1:" + server.port() + "\"]";
      RecordingJob job = attempt(new FakeResolver(), route, "d.test", 1);
      assertThat(job.results.getFirst().disposition()).isInstanceOf(Disposition.Delivered.class);
    }
  }

  /** RFC 8689 §4.2.1: no host supports it, so no later attempt is of use. */
  @Test
  void whatMustTravelByTlsFailsWhereItIsNotOffered() throws IOException {
    try (ScriptedServer server = new ScriptedServer(ScriptedServer::polite)) {
      String hop = "smtp://127.0.0.1:" + server.port();
      assertThat(strictly(route(hop)).getFirst().disposition())
          .isInstanceOfSatisfying(
              Disposition.Refused.class, r -> assertThat(r.status()).hasToString("5.7.30"));
      String other = "smtp://127.0.0.1:" + unusedPort();
      assertThat(strictly(route(hop + "\", \"" + other)).getFirst().disposition())
          .as("a host that does not answer may offer it another time")
          .isInstanceOf(Disposition.TryLater.class);
      assertThat(server.commands()).noneMatch(c -> c.startsWith("MAIL"));
    }
  }

  private static String route(String to) {
    return "[[route]]\ndomain = \"*\"\nto = [\"" + to + "\"]";
  }

  private static List<Job.Result> strictly(String route) {
    MailOptions strict = MailOptions.of(BodyType.SEVEN_BIT).withRequireTls();
    return attempt(new FakeResolver(), route, new RecordingJob("d.test", strict), 1).results;
  }

  @Test
  void whatIsDiscardedCountsAsDelivered() {
    String route = "[[route]]\ndomain = \"*\"\nto = [\"discard\"]";
    RecordingJob job = attempt(new FakeResolver(), route, "d.test", 1);
    assertThat(job.results.getFirst().disposition()).isInstanceOf(Disposition.Delivered.class);
  }

  @Test
  void aDiagnosticIsHarmlessInALog() throws IOException {
    try (ScriptedServer server =
        new ScriptedServer(
            c -> c.startsWith("RCPT") ? "550 5.1.1 no\u001b[31m event=delivered" : polite(c))) {
      FakeResolver resolver = new FakeResolver().mx("d.test", 10, "a.test", "127.0.0.1");
      RecordingJob job = attempt(resolver, "", "d.test", server.port());
      assertThat(job.results.getFirst().disposition().diagnostic())
          .startsWith("550 5.1.1 no\\x1b[31m");
    }
  }

  private static RecordingJob attempt(
      FakeResolver resolver, String routes, String domain, int mxPort) {
    MailOptions plain = MailOptions.of(BodyType.SEVEN_BIT);
    return attempt(resolver, routes, new RecordingJob(domain, plain), mxPort);
  }

  private static RecordingJob attempt(
      FakeResolver resolver, String routes, RecordingJob job, int mxPort) {
    try (DeliveryAgent deliveries =
        new DeliveryAgent(
            TestConfig.of("hostname = \"here.test\"\n" + routes),
            resolver,
            new SimpleMeterRegistry(),
            address -> false,
            mxPort)) {
      String domain = job.message().recipients().getFirst().address().domain();
      Destination destination = deliveries.destination(domain);
      assertThat(deliveries.admit(destination)).isInstanceOf(Admission.Granted.class);
      deliveries.attempt(destination, job);
      assertThat(deliveries.running()).isZero();
    }
    return job;
  }

  private static int unusedPort() throws IOException {
    try (ServerSocket socket = new ServerSocket()) {
      socket.bind(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0));
      return socket.getLocalPort();
    }
  }

  private static final class RecordingJob implements Job {
    final List<Result> results = new ArrayList<>();
    private final SpooledMessage message;

    RecordingJob(String domain, MailOptions options) {
      message =
          new SpooledMessage(
              QueueId.generate(Instant.EPOCH),
              ReversePath.of("from@here.test"),
              options,
              0,
              3,
              false,
              false,
              List.of(
                  new RecipientState(
                      MailAddress.of("to@" + domain), RecipientStatus.PENDING, 0, 0, "")));
    }

    @Override
    public SpooledMessage message() {
      return message;
    }

    @Override
    public List<Integer> recipients() {
      return List.of(0);
    }

    @Override
    public InputStream content() {
      return new ByteArrayInputStream(new byte[] {'x', '\r', '\n'});
    }

    @Override
    public boolean dotAllowed(int recipients) {
      return true;
    }

    @Override
    public void answered(List<Result> answers) {
      results.addAll(answers);
    }

    @Override
    public void notTried(String reason) {
      throw new AssertionError(reason);
    }

    @Override
    public void unreadable(String reason) {
      throw new AssertionError(reason);
    }
  }
}
