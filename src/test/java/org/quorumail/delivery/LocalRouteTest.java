package org.quorumail.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.quorumail.smtp.client.ScriptedServer.polite;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailOptions;
import org.quorumail.mail.Outcome;
import org.quorumail.mail.RecipientOutcome;
import org.quorumail.smtp.client.ScriptedServer;
import org.quorumail.smtp.client.ScriptedServer.Script;
import org.quorumail.spool.SpooledMessage;

/** Routes to mailboxes, programs and Unix sockets of this machine. */
class LocalRouteTest {
  private static final String SHORT_TIMEOUTS =
      "[delivery.smtp_timeouts]\nconnect = \"500ms\"\nehlo = \"500ms\"\n";

  @TempDir Path folder;

  @Test
  void eachRecipientHasAStepOfItsOwn() throws IOException {
    try (DeliveryAgent agent = agent("maildir:" + folder + "/{user}")) {
      Destination destination = agent.destination("d.test");
      assertThat(agent.admit(destination)).isInstanceOf(Admission.Granted.class);
      List<Integer> steps = new ArrayList<>();
      DeliveryOrder order = DeliveryAgentTest.order(message(3), true);
      try (DeliveryAttempt attempt = agent.begin(destination, order)) {
        while (!attempt.isFinished()) {
          AttemptResult.Outcomes step = (AttemptResult.Outcomes) attempt.next();
          assertThat(step.outcomes()).hasSize(1);
          assertThat(step.outcomes().getFirst().outcome()).isInstanceOf(Outcome.Delivered.class);
          steps.add(step.outcomes().getFirst().recipientIndex());
          try (Stream<Path> mailboxes = Files.list(folder)) {
            assertThat(mailboxes).hasSize(steps.size());
          }
        }
      }
      assertThat(steps).containsExactly(0, 1, 2);
    }
  }

  @Test
  void withoutTheLeaseAMailboxGetsNothing() throws IOException {
    try (DeliveryAgent agent = agent("maildir:" + folder + "/{user}")) {
      Destination destination = agent.destination("d.test");
      assertThat(agent.admit(destination)).isInstanceOf(Admission.Granted.class);
      DeliveryOrder order = DeliveryAgentTest.order(message(2), false);
      try (DeliveryAttempt attempt = agent.begin(destination, order)) {
        assertThat(attempt.next()).isInstanceOf(AttemptResult.NotTried.class);
        assertThat(attempt.isFinished()).isTrue();
      }
      assertThat(folder.resolve("to0/new")).isEmptyDirectory();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "error:550 5.1.1 nobody here, Failed, 5.1.1",
    "error:450 come back, Deferred, 4.0.0",
    "error:551, Failed, 5.0.0"
  })
  void anErrorIsTheOutcomeOfEachRecipient(String hop, String outcome, String status) {
    try (DeliveryAgent agent = agent(hop)) {
      List<RecipientOutcome> outcomes = DeliveryAgentTest.deliver(agent, message(2));
      assertThat(outcomes).hasSize(2);
      for (RecipientOutcome o : outcomes) {
        assertThat(o.outcome().getClass().getSimpleName()).isEqualTo(outcome);
        assertThat(o.outcome().status()).hasToString(status);
        assertThat(o.outcome().diagnostic()).isEqualTo(hop.substring("error:".length()));
      }
    }
  }

  @Test
  void lmtpOverAUnixSocketGivesEachRecipientItsOwnReply() throws IOException {
    Path path = folder.resolve("lmtp.sock");
    try (UnixLmtpServer server = new UnixLmtpServer(path, new int[] {250, 550}, false);
        DeliveryAgent agent = agent("lmtp+unix:" + path)) {
      List<RecipientOutcome> outcomes = DeliveryAgentTest.deliver(agent, message(2));
      assertThat(outcomes)
          .extracting(o -> o.recipientIndex() + o.outcome().getClass().getSimpleName())
          .containsExactlyInAnyOrder("0Delivered", "1Failed");
      assertThat(outcomes.getFirst().outcome().remote()).isEqualTo(path.toString());
      assertThat(server.commands).first().asString().startsWith("LHLO here.test");
    }
  }

  @Test
  void aConnectionToAUnixSocketServesMoreThanOneMessage() throws IOException {
    Path path = folder.resolve("lmtp.sock");
    try (UnixLmtpServer server = new UnixLmtpServer(path, new int[] {250}, false);
        DeliveryAgent agent = agent("lmtp+unix:" + path)) {
      DeliveryAgentTest.deliver(agent, message(1));
      DeliveryAgentTest.deliver(agent, message(1));
      assertThat(server.commands).filteredOn(c -> c.startsWith("LHLO")).hasSize(1);
      assertThat(server.commands).filteredOn(c -> c.startsWith("MAIL")).hasSize(2);
    }
  }

  @Test
  void aSilentUnixSocketIsNotWaitedForForever() throws IOException {
    Path path = folder.resolve("lmtp.sock");
    try (UnixLmtpServer server = new UnixLmtpServer(path, new int[] {250}, true);
        DeliveryAgent agent = agent("lmtp+unix:" + path)) {
      assertThat(DeliveryAgentTest.deliver(agent, message(1)))
          .singleElement()
          .satisfies(o -> assertThat(o.outcome().diagnostic()).contains("no answer in time"));
      assertThat(server.commands).isEmpty();
    }
  }

  /** RFC 5321 §5.1 for smart hosts: by priority, in whatever phase the one before fails. */
  @ParameterizedTest
  @CsvSource({
    "CONNECT, 421 4.3.2 busy", "CONNECT, 554 5.3.2 no", "CONNECT, CUT",
    "EHLO, 421 4.3.2 busy", "EHLO, 451 4.3.0 later", "EHLO, CUT",
    "MAIL, 421 4.3.2 busy", "MAIL, 451 4.3.0 later", "MAIL, CUT",
    "RCPT, 451 4.3.0 later", "DATA, 451 4.3.0 later", "., 451 4.3.0 no disk"
  })
  void theNextSmartHostIsTriedWhereverTheFirstFailsForNow(String where, String answer)
      throws IOException {
    Script sick = command -> command.startsWith(where) ? answer : polite(command);
    try (ScriptedServer first = new ScriptedServer(sick);
        ScriptedServer second = new ScriptedServer(ScriptedServer::polite);
        ScriptedServer third = new ScriptedServer(ScriptedServer::polite);
        DeliveryAgent agent =
            agent(
                "lmtp://127.0.0.1:%d?priority=30\", \"smtp://127.0.0.1:%d?priority=20\", "
                        .formatted(third.port(), second.port())
                    + "\"smtp://127.0.0.1:%d?priority=5\", \"lmtp+unix:%s?priority=1"
                        .formatted(first.port(), folder.resolve("missing.sock")))) {
      assertThat(DeliveryAgentTest.deliver(agent, message(1)))
          .singleElement()
          .satisfies(o -> assertThat(o.outcome()).isInstanceOf(Outcome.Delivered.class))
          .satisfies(o -> assertThat(o.outcome().remote()).endsWith(":" + second.port()));
      assertThat(first.connections()).isEqualTo(1);
      assertThat(third.connections()).isZero();
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "to = ['maildir:/m/{user}', 'mx'] | must be the only next hop",
        "to = ['maildir:m/{user}'] | maildir:/absolute/path/{user}",
        "to = ['maildir:/m/{name}'] | {name} is none of the names",
        "to = ['pipe:program'] | must begin with the path of a program",
        "to = ['error:200 fine'] | must be \"error:550 5.1.1 text\"",
        "to = ['error:550 4.1.1 text'] | contradict each other",
        "to = ['lmtp+unix://run/x'] | lmtp+unix:/absolute/path",
        "to = ['lmtp://h?wait=1'] | the parameters priority and weight",
        "to = ['mx:25'] | must be \"smtp://host:25\"",
        "to = ['mx']~user = 'vmail' | user: fits next hops",
        "to = ['mbox:/m/{user}']~user = 'root' | never belong to root"
      })
  void aRouteThatMeansNothingIsRefusedWithItsKey(String route, String sentence) {
    assertThatThrownBy(() -> TestConfig.of("[[route]]\ndomain = '*'\n" + route.replace('~', '\n')))
        .hasMessageContaining("route[0].")
        .hasMessageContaining(sentence);
  }

  private static DeliveryAgent agent(String hop) {
    String route = "[[route]]\ndomain = '*'\nto = [\"" + hop + "\"]\n" + SHORT_TIMEOUTS;
    return DeliveryAgentTest.agent(new FakeResolver(), route, 1);
  }

  private static SpooledMessage message(int recipients) {
    return DeliveryAgentTest.message("d.test", MailOptions.of(BodyType.SEVEN_BIT), recipients);
  }

  /** An LMTP server on a Unix socket: one code for each recipient, in the order of RCPT. */
  private static final class UnixLmtpServer implements AutoCloseable {
    private final ServerSocketChannel listener;
    private final int[] codes;
    private final boolean silent;
    private final List<String> commands = new CopyOnWriteArrayList<>();

    UnixLmtpServer(Path path, int[] codes, boolean silent) throws IOException {
      this.codes = codes;
      this.silent = silent;
      listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
      listener.bind(UnixDomainSocketAddress.of(path));
      Thread.ofVirtual().start(this::accept);
    }

    private void accept() {
      try {
        while (true) {
          SocketChannel channel = listener.accept();
          if (!silent) Thread.ofVirtual().start(() -> serve(channel));
        }
      } catch (IOException e) {
        // closed: the test is over
      }
    }

    private void serve(SocketChannel channel) {
      try (channel;
          BufferedReader in =
              new BufferedReader(
                  new InputStreamReader(
                      Channels.newInputStream(channel), StandardCharsets.ISO_8859_1))) {
        OutputStream out = Channels.newOutputStream(channel);
        answer(out, "220 store.test LMTP");
        int recipients = 0;
        for (String line = in.readLine(); line != null; line = in.readLine()) {
          commands.add(line);
          if (line.startsWith("MAIL")) recipients = 0;
          if (line.startsWith("RCPT")) recipients++;
          if (!line.equals("DATA")) answer(out, "250 2.0.0 fine");
          if (!line.equals("DATA")) continue;
          answer(out, "354 go on");
          while (!in.readLine().equals(".")) {}
          for (int i = 0; i < recipients; i++) answer(out, codes[i] + " done");
        }
      } catch (IOException e) {
        // the client closed
      }
    }

    private static void answer(OutputStream out, String reply) throws IOException {
      out.write((reply + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
    }

    @Override
    public void close() throws IOException {
      listener.close();
    }
  }
}
