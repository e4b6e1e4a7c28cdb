package org.quorumail.smtp.server;

import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.auth.Authentication;
import org.quorumail.auth.ChannelBindings;
import org.quorumail.auth.SaslMechanism;
import org.quorumail.auth.SaslMechanism.SaslStep;
import org.quorumail.auth.User;
import org.quorumail.smtp.Escape;
import org.quorumail.smtp.ReceivedLine;
import org.quorumail.smtp.Reply;
import org.quorumail.smtp.SmtpChannel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The AUTH command, RFC 4954. It carries the challenges and responses of a SASL exchange, and
 * answers every failed login alike and after the same time. Only the session's thread uses it.
 */
final class AuthCommand {
  /**
   * The limit on the octets of AUTH and of each line of an exchange, CRLF included: RFC 4954 §4.
   */
  static final int MAX_LINE = 12_288;

  private static final Logger LOG = LoggerFactory.getLogger(SmtpSession.class);
  private static final int MAX_STEPS = 8; // no mechanism has more than four

  private final SessionContext session;
  private final SmtpChannel channel;
  private final RemoteClient client;
  private int failed;

  /** The response to a challenge: octets, or a reason to end the exchange. */
  private sealed interface Response {
    record Octets(byte[] data) implements Response {}

    record Ended(String result, CommandResult commandResult) implements Response {}
  }

  AuthCommand(SessionContext session) {
    this.session = session;
    this.channel = session.channel();
    this.client = session.remoteClient();
  }

  /** The mechanisms that EHLO lists; empty when AUTH is not possible on this connection now. */
  List<String> offered() {
    return authentication().offeredMechanisms(channel.secured(), this::channelBindings);
  }

  /** Whether the connection allows a login now, or is already logged in. */
  boolean isAvailable() {
    return authentication().isAllowed(channel.secured());
  }

  /** The user of a login that a trusted host asserts by XCLIENT. */
  Optional<User> userOfXclientLogin(String login) {
    return authentication().assertedUser(login);
  }

  /** The limit on a command line: a longer one only for a client that may still log in. */
  int longestLine(int usual) {
    return isAvailable() && client.user().isEmpty() ? Math.max(usual, MAX_LINE) : usual;
  }

  CommandResult auth(String argument) throws IOException {
    Authentication authentication = authentication();
    if (!authentication.isConfigured())
      return CommandResult.of(502, "5.5.1", "AUTH is not offered");
    if (!client.extended()) return CommandResult.of(503, "5.5.1", "Say EHLO first");
    if (!isAvailable()) {
      return CommandResult.of(538, "5.7.11", "Encryption required for authentication");
    }
    if (client.user().isPresent()) return CommandResult.of(503, "5.5.1", "Already authenticated");
    if (session.inTransaction())
      return CommandResult.of(503, "5.5.1", "A transaction is under way");
    if (argument.isEmpty())
      return CommandResult.of(501, "5.5.4", "Syntax: AUTH mechanism [response]");
    if (authentication.failures().isBlocked(client.address())) return tooMany("none", "");
    int blank = argument.indexOf(' ');
    String name = blank < 0 ? argument : argument.substring(0, blank);
    Optional<SaslMechanism> mechanism =
        authentication.startExchange(
            name, client.address(), channel.secured(), this::channelBindings);
    if (mechanism.isEmpty()) {
      count("other", "not_offered");
      return CommandResult.of(504, "5.5.4", "This mechanism is not offered");
    }
    String registered = name.toUpperCase(Locale.ROOT);
    Response first =
        blank < 0
            ? challenge(mechanism.get().initialChallenge())
            : decode(initial(argument.substring(blank + 1).strip()));
    return exchange(registered, mechanism.get(), first);
  }

  private CommandResult exchange(String name, SaslMechanism mechanism, Response first)
      throws IOException {
    Response response = first;
    for (int steps = 0; steps < MAX_STEPS; steps++) {
      if (response instanceof Response.Ended ended) {
        count(name, ended.result());
        return ended.commandResult();
      }
      long received = System.nanoTime();
      SaslStep step = mechanism.evaluateResponse(((Response.Octets) response).data());
      switch (step) {
        case SaslStep.Challenge challenge -> response = challenge(challenge.data());
        case SaslStep.Authenticated proved -> {
          return succeeded(name, proved.user(), received);
        }
        case SaslStep.Denied denied -> {
          return denied(name, denied, received);
        }
        case SaslStep.Limited limited -> {
          delayFailure(received); // as if the password had been checked
          return tooMany(name, limited.name());
        }
        case SaslStep.Malformed malformed -> {
          count(name, "malformed");
          return CommandResult.of(501, "5.5.2", "Cannot understand: " + malformed.reason());
        }
        case SaslStep.Unavailable unavailable -> {
          count(name, "unavailable");
          LOG.warn(
              "event=auth_unavailable mechanism={} client={} reason={}",
              name,
              client.host(),
              Escape.quoted(unavailable.reason()));
          return CommandResult.of(454, "4.7.0", "Temporary authentication failure");
        }
      }
    }
    throw new IllegalStateException(name + " takes more than " + MAX_STEPS + " steps");
  }

  private CommandResult succeeded(String mechanism, User user, long received) throws IOException {
    // the same reply as to a wrong password: a guesser must not learn that the guess was right
    if (authentication().failures().isBlocked(client.address(), user.name())) {
      delayFailure(received);
      return tooMany(mechanism, user.name());
    }
    authentication().failures().recordSuccess(client.address(), user.name());
    client.authenticated(user);
    count(mechanism, "success");
    LOG.info(
        "event=authenticated mechanism={} user={} client={}",
        mechanism,
        Escape.quoted(user.name()),
        client.host());
    return CommandResult.of(235, "2.7.0", "Authentication successful");
  }

  private CommandResult denied(String mechanism, SaslStep.Denied denied, long received)
      throws IOException {
    boolean closed = authentication().failures().isBlocked(client.address(), denied.name());
    authentication().failures().recordFailure(client.address(), denied.name());
    delayFailure(received);
    LOG.info(
        "event=auth_failed mechanism={} user={} client={} reason=\"{}\"",
        mechanism,
        Escape.quoted(denied.name()),
        client.host(),
        denied.reason());
    if (closed) return tooMany(mechanism, denied.name());
    count(mechanism, "failure");
    if (++failed >= authentication().limits().attempts()) return tooMany(mechanism, denied.name());
    return CommandResult.of(535, "5.7.8", "Authentication credentials invalid");
  }

  private CommandResult tooMany(String mechanism, String user) {
    count(mechanism, "limited");
    LOG.info(
        "event=auth_limited mechanism={} user={} client={}",
        mechanism,
        Escape.quoted(user),
        client.host());
    return CommandResult.closing(421, "4.7.0", "Too many failed logins, try again later");
  }

  /** Delays a failure, so that its time does not depend on the duration of the check. */
  private void delayFailure(long received) throws IOException {
    long until = received + authentication().limits().delay().toNanos();
    try {
      long left = until - System.nanoTime();
      if (left > 0) Thread.sleep(Duration.ofNanos(left));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  private Response challenge(byte[] challenge) throws IOException {
    String text = Base64.getEncoder().encodeToString(challenge);
    channel.writer().reply(Reply.plain(334, text));
    channel.deadline(session.config().timeouts().command());
    return switch (channel.reader().readLine(MAX_LINE)) {
      case ReceivedLine.Text line ->
          line.text().equals("*")
              ? ended("cancelled", CommandResult.of(501, "5.7.0", "Authentication cancelled"))
              : decode(line.text());
      case ReceivedLine.TooLong tooLong -> ended("malformed", lineTooLong());
      case ReceivedLine.BareLineFeed bare ->
          ended(
              "malformed",
              CommandResult.closing(500, "5.5.2", "A line ends with CR LF (RFC 5321 2.3.8)"));
      case ReceivedLine.End end ->
          throw new EOFException("the connection ended inside an authentication exchange");
    };
  }

  /** The reply to a line that is too long, RFC 4954 §4 and §6. */
  static CommandResult lineTooLong() {
    return CommandResult.of(500, "5.5.6", "Authentication exchange line is too long");
  }

  /** An empty initial response is written {@code =}, RFC 4954 §4. */
  private static String initial(String written) {
    return written.equals("=") ? "" : written;
  }

  private static Response decode(String text) {
    byte[] octets = strictBase64(text);
    if (octets != null) return new Response.Octets(octets);
    return ended("malformed", CommandResult.of(501, "5.5.2", "This is not base64 (RFC 4648 4)"));
  }

  /** Decodes base64 with padding and without the stray bits that the JDK accepts. */
  private static byte @Nullable [] strictBase64(String text) {
    try {
      byte[] ascii = text.getBytes(StandardCharsets.ISO_8859_1);
      byte[] octets = Base64.getDecoder().decode(ascii);
      return Arrays.equals(Base64.getEncoder().encode(octets), ascii) ? octets : null;
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  private static Response ended(String result, CommandResult commandResult) {
    return new Response.Ended(result, commandResult);
  }

  private Authentication authentication() {
    return session.server().authentication().get();
  }

  private ChannelBindings channelBindings() {
    return channel.tlsSession().map(ChannelBindings::of).orElseGet(ChannelBindings::none);
  }

  private void count(String mechanism, String result) {
    session.metrics().authentication(mechanism, result);
  }
}
