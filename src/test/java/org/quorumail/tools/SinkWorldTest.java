package org.quorumail.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.quorumail.config.RateLimit;
import org.quorumail.config.Units;
import org.quorumail.tools.SinkScript.Situation;
import org.quorumail.tools.SinkScript.Stage;
import org.quorumail.tools.SinkScript.SyntaxException;

/** Scripts in TOML, and the control of a running sink. */
class SinkWorldTest {
  private static final Duration LONG = Duration.ofSeconds(20);
  private final List<List<String>> received = new CopyOnWriteArrayList<>();

  @ParameterizedTest
  @ValueSource(
      strings = {"connect", "greeting", "ehlo", "starttls", "mail", "rcpt", "data", "content"})
  void aConnectionBreaksInThePhaseOfItsRuleAndNothingIsReceived(String phase) throws Exception {
    try (SmtpSink sink = sink("[[rule]]\nphase = \"" + phase + "\"\nclose = true\n")) {
      assertThatThrownBy(() -> transaction(sink)).isInstanceOf(IOException.class);
      assertThat(received).isEmpty();
      assertThat(sink.script().matches().values()).containsExactly(1L);
    }
  }

  @Test
  void aConnectionThatBreaksAtTheDotLosesTheMessageAndOneAfterItDoesNot() throws Exception {
    try (SmtpSink sink = sink("[[rule]]\nphase = \"dot\"\nclose = true\n")) {
      assertThatThrownBy(() -> transaction(sink)).isInstanceOf(IOException.class);
      assertThat(received).isEmpty();
    }
    try (SmtpSink sink = sink("[[rule]]\nphase = \"after-dot\"\nclose = true\n")) {
      assertThatThrownBy(() -> transaction(sink)).isInstanceOf(IOException.class);
      assertThat(received).containsExactly(List.of("bob@slow.test"));
    }
  }

  @Test
  void aRuleIsForItsSenderAndItsRecipients() throws Exception {
    SinkScript script =
        SinkScriptReader.toml(
            "s.toml",
            """
            [[rule]]
            name = "full"
            domain = "full.test"
            sender = "*@bulk.test"
            reply = "452 4.2.2 Mailbox full"

            [[rule]]
            phase = "dot"
            recipient = "*@spam.test"
            reply = "554 5.7.1 Spam"
            """);
    assertThat(at(script, Stage.RCPT, "a@bulk.test", "b@full.test")).startsWith("452");
    assertThat(at(script, Stage.RCPT, "a@other.test", "b@full.test")).isEmpty();
    assertThat(at(script, Stage.RCPT, "a@bulk.test", "b@notfull.test")).isEmpty();
    assertThat(at(script, Stage.DOT, "a@b.test", "x@y.test", "b@spam.test")).startsWith("554");
    assertThat(script.matches()).containsEntry("full", 1L).containsEntry("rule-2", 1L);
  }

  @Test
  void greylistingAcceptsALaterTry() {
    long[] now = {0};
    var condition = condition("greylist", "10s");
    SinkScript script = new SinkScript(condition, 1, () -> now[0]);
    assertThat(at(script, Stage.RCPT, "a@b.test", "c@d.test")).startsWith("450 4.7.1 Greylisted");
    now[0] = Duration.ofSeconds(9).toNanos();
    assertThat(at(script, Stage.RCPT, "a@b.test", "c@d.test")).startsWith("450");
    assertThat(at(script, Stage.RCPT, "a@b.test", "e@d.test")).as("another one").startsWith("450");
    now[0] = Duration.ofSeconds(10).toNanos();
    assertThat(at(script, Stage.RCPT, "a@b.test", "c@d.test")).isEmpty();
  }

  @Test
  void aRateRefusesWhatIsAboveIt() {
    long[] now = {0};
    SinkScript script = new SinkScript(condition("rate", "1/s burst 2"), 1, () -> now[0]);
    assertThat(at(script, Stage.RCPT, "a@b.test", "c@d.test")).isEmpty();
    assertThat(at(script, Stage.RCPT, "a@b.test", "c@d.test")).isEmpty();
    assertThat(at(script, Stage.RCPT, "a@b.test", "c@d.test")).startsWith("450 4.7.1 Too fast");
    now[0] = Duration.ofSeconds(1).toNanos();
    assertThat(at(script, Stage.RCPT, "a@b.test", "c@d.test")).isEmpty();
  }

  @Test
  void chanceIsTheSameForTheSameSeed() throws Exception {
    String text = "seed = 7\n[[rule]]\nshare = 0.5\nreply = \"450 4.0.0 perhaps\"\n";
    SinkScript first = SinkScriptReader.toml("s.toml", text);
    SinkScript second = SinkScriptReader.toml("s.toml", text);
    for (int i = 0; i < 100; i++) {
      assertThat(at(first, Stage.RCPT, "a@b.test", "c@d.test"))
          .isEqualTo(at(second, Stage.RCPT, "a@b.test", "c@d.test"));
    }
    assertThat(first.matches().get("rule-1")).isBetween(30L, 70L);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "phase = \"helo\" | 2 | must be one of",
        "reply = \"250 ok\" | 2 | 400 to 599",
        "delay = \"2h\" | 2 | delay",
        "share = 2 | 2 | share",
        "rate = \"fast\" | 2 | rate",
        "replay = \"450 no\" | 2 | reply",
        "times = 1 | 1 | reply",
        "x = | 2 | ''"
      })
  void aFaultIsOneSentenceWithItsLine(String line, int number, String words) {
    assertThatThrownBy(() -> SinkScriptReader.toml("s.toml", "[[rule]]\n" + line + "\n"))
        .isInstanceOfSatisfying(SyntaxException.class, e -> assertThat(e.line()).isEqualTo(number))
        .hasMessageContaining(words);
  }

  @Test
  void theControlShowsCountsAndMessagesAndReplacesTheScript() throws Exception {
    SinkControl.Mailbox mailbox = new SinkControl.Mailbox();
    try (SmtpSink sink =
            SmtpSink.start(SmtpSink.Options.onPort(0), SinkScript.EMPTY, mailbox::add);
        SinkControl control = SinkControl.start(sink, mailbox, 0);
        HttpClient client = HttpClient.newHttpClient()) {
      assertThat(transaction(sink)).startsWith("250");
      assertThat(call(client, control, "GET", "/messages", "").body())
          .contains("\"from\":\"ann@example.org\"", "bob@slow.test");
      assertThat(call(client, control, "GET", "/counts", "").body()).contains("\"messages\":1");
      String rule = "[[rule]]\nname = \"no\"\nphase = \"mail\"\nreply = \"550 5.7.1 No\"\n";
      assertThat(call(client, control, "PUT", "/script", rule).statusCode()).isEqualTo(200);
      assertThat(transaction(sink)).startsWith("503"); // MAIL was refused
      assertThat(call(client, control, "GET", "/counts", "").body()).contains("\"no\":1");
      HttpResponse<String> bad = call(client, control, "PUT", "/script", "[[rule]]\nx = 1\n");
      assertThat(bad.statusCode()).isEqualTo(422);
      assertThat(bad.body()).contains("line ");
      assertThat(call(client, control, "GET", "/counts", "").body()).contains("\"no\":1");
      assertThat(call(client, control, "DELETE", "/messages", "").statusCode()).isEqualTo(200);
      assertThat(call(client, control, "GET", "/messages", "").body()).doesNotContain("ann@");
      assertThat(call(client, control, "GET", "/else", "").statusCode()).isEqualTo(404);
    }
  }

  private static HttpResponse<String> call(
      HttpClient client, SinkControl control, String method, String path, String body)
      throws Exception {
    URI uri = URI.create("http://127.0.0.1:" + control.port() + path);
    HttpRequest request =
        HttpRequest.newBuilder(uri).method(method, BodyPublishers.ofString(body)).build();
    return client.send(request, BodyHandlers.ofString());
  }

  /** One rule at RCPT with one more key. */
  private static List<SinkScript.Rule> condition(String key, String value) {
    boolean greylist = key.equals("greylist");
    var condition =
        new SinkScript.Condition(
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Long.MAX_VALUE,
            1,
            greylist ? Optional.of(Units.parseDuration(value)) : Optional.empty(),
            greylist ? Optional.empty() : Optional.of(RateLimit.parse(value)));
    String reply = greylist ? "450 4.7.1 Greylisted" : "450 4.7.1 Too fast";
    var action = new SinkScript.Action(Duration.ZERO, Optional.of(reply), false);
    return List.of(new SinkScript.Rule("r", Stage.RCPT, condition, action));
  }

  private static String at(SinkScript script, Stage stage, String sender, String... recipients) {
    Situation situation = new Situation("client.test", sender, List.of(recipients));
    return script.at(stage, situation).reply().orElse("");
  }

  private SmtpSink sink(String script) throws Exception {
    return SmtpSink.start(
        SmtpSink.Options.onPort(0),
        SinkScriptReader.toml("s.toml", script),
        message -> received.add(message.recipients()));
  }

  /** One whole dialogue; returns the last reply. */
  private static String transaction(SmtpSink sink) throws IOException {
    InetSocketAddress address =
        new InetSocketAddress(InetAddress.getByName("127.0.0.1"), sink.port());
    try (SmtpSocket client = SmtpSocket.connect(address, LONG, LONG)) {
      client.readReply();
      client.request("EHLO client.test");
      if (sink.script().concerns(Stage.STARTTLS)) client.request("STARTTLS");
      client.request("MAIL FROM:<ann@example.org>");
      String last = client.request("RCPT TO:<bob@slow.test>");
      if (!last.startsWith("250")) return last;
      client.request("DATA");
      client.writeLine("Subject: test");
      client.writeLine("");
      return client.request(".");
    }
  }
}
