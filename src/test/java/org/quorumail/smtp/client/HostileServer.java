package org.quorumail.smtp.client;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.quorumail.ScriptedServer;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.Outcome;
import org.quorumail.mail.RecipientOutcome;
import org.quorumail.mail.ReversePath;
import org.quorumail.smtp.ClientTlsContexts;

/**
 * A target of Jazzer: the input is all that a next hop sends in one session with one message for
 * two recipients. The first octet chooses between SMTP and LMTP, and whether this node logs in.
 */
public final class HostileServer {
  private static final Duration TIMEOUT = Duration.ofSeconds(10);
  private static final SmtpTimeouts TIMEOUTS =
      new SmtpTimeouts(TIMEOUT, TIMEOUT, TIMEOUT, TIMEOUT, TIMEOUT, TIMEOUT, TIMEOUT, TIMEOUT);
  private static final SmtpClient CLIENT =
      new SmtpClient("here.test", TIMEOUTS, ClientTlsContexts.verifyingClient());
  private static final Envelope ENVELOPE =
      new Envelope(
          ReversePath.of("from@here.test"),
          List.of(MailAddress.of("x@there.test"), MailAddress.of("y@there.test")),
          BodyType.SEVEN_BIT);
  private static final byte[] CONTENT = "a\r\n".getBytes(StandardCharsets.US_ASCII);

  private static @Nullable ScriptedServer server;

  private HostileServer() {}

  public static void fuzzerTestOneInput(byte[] input) throws IOException {
    accepts(input);
  }

  /** Runs the session, and returns whether a recipient counts as delivered. */
  public static boolean accepts(byte[] input) throws IOException {
    if (input.length == 0) return false;
    server().sendNext(Arrays.copyOfRange(input, 1, input.length));
    Login login = new Login("me", Login.Kind.PASSWORD, () -> "a password", TlsRule.OPPORTUNISTIC);
    ServerEndpoint peer =
        new ServerEndpoint(
            "far.test",
            server().address(),
            (input[0] & 1) != 0,
            TlsRule.OPPORTUNISTIC,
            false,
            (input[0] & 2) != 0 ? login : null);
    if (!(CLIENT.open(peer) instanceof ConnectResult.Connected connected)) return false;
    OutgoingMessage message =
        new OutgoingMessage(ENVELOPE, CONTENT.length, () -> new ByteArrayInputStream(CONTENT));
    try (SmtpConnection connection = connected.connection()) {
      return switch (connection.send(message, recipients -> true)) {
        case SendResult.Answered answered -> {
          int places = answered.outcomes().size() + answered.leftOver().size();
          if (places != 2) throw new IllegalStateException("replies for " + places);
          yield delivered(answered.outcomes());
        }
        case SendResult.Broken broken -> delivered(broken.outcomes());
        case SendResult.NotSendable notSendable -> false;
        case SendResult.FinalDotDenied denied -> false;
        case SendResult.Unreadable unreadable -> throw new IllegalStateException("unreadable");
      };
    }
  }

  private static boolean delivered(List<RecipientOutcome> outcomes) {
    boolean delivered = false;
    for (RecipientOutcome result : outcomes) {
      Outcome outcome = result.outcome();
      String text = outcome.diagnostic() + outcome.remote();
      boolean printable = text.chars().allMatch(c -> c >= ' ' && c < 0x7F);
      if (!printable) throw new IllegalStateException("the report gets " + text);
      delivered |= outcome instanceof Outcome.Delivered;
    }
    return delivered;
  }

  private static ScriptedServer server() throws IOException {
    ScriptedServer open = server;
    if (open == null) server = open = ScriptedServer.start();
    return open;
  }
}
