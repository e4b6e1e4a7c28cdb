package org.quorumail.policy.milter;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.ScriptedServer;
import org.quorumail.config.HostPort;
import org.quorumail.mail.MailAddress;
import org.quorumail.policy.ContentBuffer;
import org.quorumail.policy.FakeSessionView;
import org.quorumail.policy.FilterChain;
import org.quorumail.policy.FilterSession;
import org.quorumail.policy.MessageVerdict;
import org.quorumail.policy.PolicyConfig.MilterAction;
import org.quorumail.policy.PolicyConfig.MilterConfig;
import org.quorumail.policy.PolicyConfig.MilterSocket;
import org.quorumail.smtp.Reply;
import org.quorumail.smtp.Service;

/**
 * A target of Jazzer: the input is all that a milter sends in one session with one message, from
 * its choice of options to its close.
 */
public final class HostileMilter {
  private static final MailAddress RECIPIENT = MailAddress.of("ann@local.example");
  private static final byte[] MESSAGE =
      "Subject: a\r\n b\r\nTo: c\r\n\r\nbody\r\n".getBytes(StandardCharsets.US_ASCII);
  private static final Path SCRATCH =
      Path.of(System.getProperty("java.io.tmpdir"), "quorumail-test-scratch");
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  private static @Nullable ScriptedServer server;

  private HostileMilter() {}

  public static void fuzzerTestOneInput(byte[] input) throws IOException {
    accepts(input);
  }

  /** Runs the session, and returns whether the milter let the message pass. */
  public static boolean accepts(byte[] input) throws IOException {
    server().sendNext(input);
    MilterConfig config =
        new MilterConfig(
            "fuzz",
            new MilterSocket.Inet(new HostPort("127.0.0.1", server().address().getPort())),
            MilterAction.TEMPFAIL,
            TIMEOUT,
            TIMEOUT,
            TIMEOUT,
            List.of(Service.MX));
    SimpleMeterRegistry meters = new SimpleMeterRegistry();
    FilterChain chain = new FilterChain(List.of(new MilterFilter(config, SCRATCH)), meters);
    FilterSession session = chain.open(new FakeSessionView());
    try {
      Optional<Reply> refusal =
          session.connect().or(session::ehlo).or(session::mail).or(() -> session.rcpt(RECIPIENT));
      refusal.ifPresent(HostileMilter::checkReply);
      return refusal.isEmpty() && judge(session);
    } finally {
      session.close();
      checkFailures(meters);
    }
  }

  /** A fault of the filter would defer mail by itself, whatever the milter's default action. */
  private static void checkFailures(SimpleMeterRegistry meters) {
    double failures =
        meters.find("smtp.policy.failures").counters().stream().mapToDouble(Counter::count).sum();
    if (failures > 0) throw new IllegalStateException("the filter failed");
  }

  private static boolean judge(FilterSession session) throws IOException {
    if (!session.needsContent()) {
      return session.judgeWithoutContent() instanceof MessageVerdict.Accept;
    }
    try (ContentBuffer content = new ContentBuffer(SCRATCH)) {
      content.write(MESSAGE, 0, MESSAGE.length);
      switch (session.judge(content)) {
        case MessageVerdict.Accept accept -> {
          try (InputStream in = accept.content().open()) {
            checkLineEnds(in.readAllBytes());
          }
          return true;
        }
        case MessageVerdict.Refuse refuse -> checkReply(refuse.reply());
        case MessageVerdict.Discard discard -> {
          return false;
        }
      }
      return false;
    }
  }

  /** A refusal goes to the client as it is: a code of refusals, lines of printable ASCII. */
  private static void checkReply(Reply reply) {
    String wire = new String(reply.toWire(), StandardCharsets.ISO_8859_1);
    boolean printable = wire.replace("\r\n", "").chars().allMatch(c -> c >= ' ' && c < 0x7F);
    if (reply.code() < 400 || reply.code() > 599 || !printable) {
      throw new IllegalStateException("the client gets " + reply);
    }
  }

  private static void checkLineEnds(byte[] content) {
    for (int i = 0; i < content.length; i++) {
      boolean bareLineFeed = content[i] == '\n' && (i == 0 || content[i - 1] != '\r');
      boolean bareReturn =
          content[i] == '\r' && (i + 1 == content.length || content[i + 1] != '\n');
      if (bareLineFeed || bareReturn) throw new IllegalStateException("a bare line end at " + i);
    }
  }

  private static ScriptedServer server() throws IOException {
    ScriptedServer open = server;
    if (open == null) server = open = ScriptedServer.start();
    return open;
  }
}
