package org.quorumail.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.quorumail.smtp.client.ScriptedServer.polite;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailOptions;
import org.quorumail.mail.Outcome;
import org.quorumail.mail.RecipientOutcome;
import org.quorumail.smtp.client.ScriptedServer;
import org.quorumail.smtp.client.ScriptedServer.Script;

/**
 * Hostile and odd servers: each costs a bounded time, and each recipient gets the right outcome.
 * Outcomes are shown as {@code +} delivered, {@code -} failed, {@code ~} deferred.
 */
@Execution(ExecutionMode.CONCURRENT)
class OddServerTest {
  private static final String TIMEOUT = "700ms";

  /** One attempt waits for a few steps at most. */
  private static final Duration BOUND = Duration.ofSeconds(15);

  @ParameterizedTest
  @ValueSource(strings = {"CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "CONTENT", "."})
  void aServerThatStopsAnywhereDefersAll(String where) throws IOException {
    String[] ways = {"CUT", "SILENCE", "ENDLESS", "DRIP", "421 4.3.2 bye", "421 bye"};
    for (String way : ways) {
      if (where.equals("CONTENT") && !way.equals("CUT")) continue; // says nothing there
      assertThat(outcomes(answering(where, way))).as(where + " " + way).isEqualTo("~~~");
    }
  }

  @ParameterizedTest
  @CsvSource({
    // the reply to the RCPT commands to0, to1, to2, then the outcomes
    "250 fine, 550 5.1.1 unknown, 450 4.2.1 later, +-~",
    "250, 550, 450, +-~",
    "250-a\\n250 b, 550-x\\n550 y, 250 2.1.5, +-+",
    "550 1, 551 2, 553 3, ---",
    "550 1, 450 2, 550 3, -~-",
    "250 ok, 250-a\\r\\n550 b, 250 ok, ~~~", // mixed codes: the session cannot be trusted
    "250 ok, 999 odd, 250 ok, ~~~",
    "250 ok, 354 odd, 250 ok, ~~~",
    "250 ok, HTTP/1.1 400 Bad, 250 ok, ~~~",
    "250 ok, 550 5.1.1 \u00e9\u0007\u001b[31m, 250 ok, +-+",
    "250 ok, 550 2.0.0 contradiction, 250 ok, +-+",
    "250 ok, 503 5.5.1 order, 250 ok, +-+",
    "503 5.5.1 order, 503 5.5.1 order, 503 5.5.1 order, ~~~"
  })
  void eachRecipientOfAPipelineHasItsOwnOutcome(
      String first, String second, String third, String outcomes) throws IOException {
    Script script =
        command -> {
          if (command.startsWith("RCPT TO:<to0")) return raw(first);
          if (command.startsWith("RCPT TO:<to1")) return raw(second);
          return command.startsWith("RCPT TO:<to2") ? raw(third) : polite(command);
        };
    assertThat(outcomes(script)).isEqualTo(outcomes);
    Script oneByOne = command -> withoutPipelining(command, script.answer(command));
    assertThat(outcomes(oneByOne)).as("without pipelining").isEqualTo(outcomes);
  }

  @ParameterizedTest
  @CsvSource({
    "MAIL, 550 5.7.1 you never, ---",
    "MAIL, 450 4.7.1 not now, ~~~",
    "MAIL, 503 5.5.1 order, ~~~",
    "MAIL, 250 ok\\r\\n250 and one more, ~~~", // all later replies belong to other commands
    "DATA, 250 ok, ~~~",
    "DATA, 554 5.6.0 no, ---",
    "DATA, 451 4.3.0 no, ~~~",
    "., 550 5.6.0 spam, ---",
    "., 450 4.3.0 full, ~~~",
    "., 354 more?, ~~~",
    "., 250, +++",
    "., 250-a\\n250 2.6.0 queued, +++",
    "., 250-a\\r\\n451 b, ~~~",
    "EHLO, 550 who, +++", // HELO will do
    "CONNECT, 220-a\\n220 b, +++",
    "CONNECT, 554 go away, ~~~",
    "CONNECT, SSH-2.0-x, ~~~"
  })
  void oneReplyDecidesForAll(String where, String reply, String outcomes) throws IOException {
    assertThat(outcomes(answering(where, raw(reply)))).isEqualTo(outcomes);
  }

  /** RFC 2920 §3.1: a server that answers 354 although it took nobody gets no content. */
  @Test
  void nothingIsSentWhereNobodyWasTaken() throws IOException {
    Script script = c -> c.startsWith("RCPT") ? "550 5.1.1 unknown" : polite(c);
    try (ScriptedServer server = new ScriptedServer(script)) {
      assertThat(outcomes(server, 3)).isEqualTo("---");
      assertThat(server.messages()).isEmpty();
    }
  }

  /** RFC 9422. */
  @Test
  void theLimitsOfTheServerAreKeptWithinOneAttempt() throws IOException {
    AtomicInteger inTransaction = new AtomicInteger();
    Script script =
        command -> {
          if (command.startsWith("EHLO"))
            return "250-far.test\r\n250-PIPELINING\r\n250 LIMITS RCPTMAX=2 MAILMAX=2";
          if (command.startsWith("MAIL")) inTransaction.set(0);
          boolean above = command.startsWith("RCPT") && inTransaction.incrementAndGet() > 2;
          return above ? "550 5.5.3 more than my limit" : polite(command);
        };
    try (ScriptedServer server = new ScriptedServer(script)) {
      assertThat(outcomes(server, 7)).isEqualTo("+++++++");
      assertThat(server.messages()).hasSize(4);
      assertThat(server.connections()).as("two transactions each").isEqualTo(2);
    }
  }

  private static Script answering(String where, String answer) {
    return command -> command.startsWith(where) ? answer : polite(command);
  }

  private static String raw(String text) {
    return text.replace("\\r", "\r").replace("\\n", "\n");
  }

  private static String withoutPipelining(String command, String answer) {
    return command.startsWith("EHLO") ? "250-far.test\r\n250 SIZE" : answer;
  }

  private static String outcomes(Script script) throws IOException {
    try (ScriptedServer server = new ScriptedServer(script)) {
      return outcomes(server, 3);
    }
  }

  private static String outcomes(ScriptedServer server, int recipients) {
    StringBuilder timeouts = new StringBuilder("[delivery.smtp_timeouts]\n");
    for (String step :
        List.of("connect", "ehlo", "mail_from", "rcpt_to", "data", "final_dot", "quit"))
      timeouts.append(step).append(" = \"").append(TIMEOUT).append("\"\n");
    String route =
        "[[route]]\ndomain = \"*\"\nto = [\"smtp://127.0.0.1:%d\"]\n".formatted(server.port());
    long start = System.nanoTime();
    try (DeliveryAgent agent =
        DeliveryAgentTest.agent(new FakeResolver(), route + timeouts, server.port())) {
      List<RecipientOutcome> all =
          DeliveryAgentTest.deliver(
              agent,
              DeliveryAgentTest.message("d.test", MailOptions.of(BodyType.SEVEN_BIT), recipients));
      assertThat(all).extracting(RecipientOutcome::recipientIndex).doesNotHaveDuplicates();
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(BOUND);
      return all.stream()
          .sorted(java.util.Comparator.comparingInt(RecipientOutcome::recipientIndex))
          .map(o -> sign(o.outcome()))
          .collect(Collectors.joining());
    }
  }

  private static String sign(Outcome outcome) {
    assertThat(outcome.diagnostic()).matches("[ -~]*");
    return switch (outcome) {
      case Outcome.Delivered d -> "+";
      case Outcome.Failed f -> "-";
      case Outcome.Deferred d -> "~";
    };
  }
}
