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
import org.quorumail.auth.Mechanism;
import org.quorumail.auth.Mechanism.Step;
import org.quorumail.auth.User;
import org.quorumail.smtp.Escape;
import org.quorumail.smtp.Line;
import org.quorumail.smtp.Reply;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * AUTH, RFC 4954: carries the challenges and responses of a SASL exchange, and gives every failed
 * login the same answer after the same time. Only the session's thread uses it.
 */
final class AuthCommand {
  /** Octets of a line in an exchange, and of AUTH itself: RFC 4954 §4, CRLF included. */
  static final int MAX_LINE = 12_288;

  private static final Logger LOG = LoggerFactory.getLogger(SmtpSession.class);
  private static final int MAX_STEPS = 8; // no mechanism has more than four

  private final Shared shared;
  private final Wire wire;
  private final Client client;
  private int failed;

  /** What the client said to a challenge: octets, or something that ends the exchange. */
  private sealed interface Response {
    record Octets(byte[] data) implements Response {}

    record Ended(String result, Answer answer) implements Response {}
  }

  AuthCommand(Shared shared, Wire wire, Client client) {
    this.shared = shared;
    this.wire = wire;
    this.client = client;
  }

  /** The mechanisms of EHLO's line; none when AUTH is not possible on this connection now. */
  List<String> offered() {
    return authentication().offered(wire.connection.secured(), this::bindings);
  }

  /** Whether somebody can log in on this connection now, or has. */
  boolean possible() {
    return authentication().allowed(wire.connection.secured());
  }

  /** The user of a login that a trusted host tells of. */
  Optional<User> vouchedFor(String login) {
    return authentication().vouchedFor(login);
  }

  /** How long a command line may be: longer than usual only for who can and need log in. */
  int longestLine(int usual) {
    return possible() && client.user().isEmpty() ? Math.max(usual, MAX_LINE) : usual;
  }

  Answer auth(String argument, boolean inTransaction) throws IOException {
    Authentication authentication = authentication();
    if (!authentication.configured()) return Answer.say(502, "5.5.1", "AUTH is not offered");
    if (!client.extended()) return Answer.say(503, "5.5.1", "Say EHLO first");
    if (!possible()) {
      return Answer.say(538, "5.7.11", "Encryption required for authentication");
    }
    if (client.user().isPresent()) return Answer.say(503, "5.5.1", "Already authenticated");
    if (inTransaction) return Answer.say(503, "5.5.1", "A transaction is under way");
    if (argument.isEmpty()) return Answer.say(501, "5.5.4", "Syntax: AUTH mechanism [response]");
    if (authentication.failures().tooMany(client.address())) return tooMany("none", "");
    int blank = argument.indexOf(' ');
    String name = blank < 0 ? argument : argument.substring(0, blank);
    Optional<Mechanism> mechanism =
        authentication.begin(name, wire.connection.secured(), this::bindings);
    if (mechanism.isEmpty()) {
      count("other", "not_offered");
      return Answer.say(504, "5.5.4", "This mechanism is not offered");
    }
    String registered = name.toUpperCase(Locale.ROOT);
    Response first =
        blank < 0
            ? ask(mechanism.get().prompt())
            : decode(initial(argument.substring(blank + 1).strip()));
    return exchange(registered, mechanism.get(), first);
  }

  private Answer exchange(String name, Mechanism mechanism, Response first) throws IOException {
    Response response = first;
    for (int steps = 0; steps < MAX_STEPS; steps++) {
      if (response instanceof Response.Ended ended) {
        count(name, ended.result());
        return ended.answer();
      }
      long heard = System.nanoTime();
      Step step = mechanism.next(((Response.Octets) response).data());
      switch (step) {
        case Step.Challenge challenge -> response = ask(challenge.data());
        case Step.Authenticated proved -> {
          return succeeded(name, proved.user(), heard);
        }
        case Step.Denied denied -> {
          return denied(name, denied, heard);
        }
        case Step.Malformed malformed -> {
          count(name, "malformed");
          return Answer.say(501, "5.5.2", "Cannot understand: " + malformed.reason());
        }
        case Step.Unavailable unavailable -> {
          count(name, "unavailable");
          LOG.warn(
              "event=auth_unavailable mechanism={} client={} reason=\"{}\"",
              name,
              client.host(),
              unavailable.reason());
          return Answer.say(454, "4.7.0", "Temporary authentication failure");
        }
      }
    }
    throw new IllegalStateException(name + " does not come to an end");
  }

  private Answer succeeded(String mechanism, User user, long heard) throws IOException {
    // said to the right password as to a wrong one: who guesses must not learn that he was right
    if (authentication().failures().tooMany(client.address(), user.name())) {
      waitAfter(heard);
      return tooMany(mechanism, user.name());
    }
    authentication().failures().succeeded(client.address(), user.name());
    client.authenticated(user);
    count(mechanism, "success");
    LOG.info(
        "event=authenticated mechanism={} user={} client={}",
        mechanism,
        Escape.quoted(user.name()),
        client.host());
    return Answer.say(235, "2.7.0", "Authentication successful");
  }

  private Answer denied(String mechanism, Step.Denied denied, long heard) throws IOException {
    boolean closed = authentication().failures().tooMany(client.address(), denied.name());
    authentication().failures().failed(client.address(), denied.name());
    waitAfter(heard);
    LOG.info(
        "event=auth_failed mechanism={} user={} client={} reason=\"{}\"",
        mechanism,
        Escape.quoted(denied.name()),
        client.host(),
        denied.reason());
    if (closed) return tooMany(mechanism, denied.name());
    count(mechanism, "failure");
    if (++failed >= authentication().limits().attempts()) return tooMany(mechanism, denied.name());
    return Answer.say(535, "5.7.8", "Authentication credentials invalid");
  }

  private Answer tooMany(String mechanism, String user) {
    count(mechanism, "limited");
    LOG.info(
        "event=auth_limited mechanism={} user={} client={}",
        mechanism,
        Escape.quoted(user),
        client.host());
    return Answer.close(421, "4.7.0", "Too many failed logins, try again later");
  }

  /** Whatever the check took, a failure is told at the same time after it was asked for. */
  private void waitAfter(long heard) throws IOException {
    long until = heard + authentication().limits().delay().toNanos();
    try {
      long left = until - System.nanoTime();
      if (left > 0) Thread.sleep(Duration.ofNanos(left));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  private Response ask(byte[] challenge) throws IOException {
    String text = Base64.getEncoder().encodeToString(challenge);
    wire.writer().reply(Reply.plain(334, text));
    wire.connection.deadline(shared.config().timeouts().command());
    return switch (wire.reader().readLine(MAX_LINE)) {
      case Line.Text line ->
          line.text().equals("*")
              ? ended("cancelled", Answer.say(501, "5.7.0", "Authentication cancelled"))
              : decode(line.text());
      case Line.TooLong tooLong -> ended("malformed", lineTooLong());
      case Line.BareLineFeed bare ->
          ended("malformed", Answer.close(500, "5.5.2", "A line ends with CR LF (RFC 5321 2.3.8)"));
      case Line.End end -> throw new EOFException("gone in an authentication exchange");
    };
  }

  /** RFC 4954 §4 and §6. */
  static Answer lineTooLong() {
    return Answer.say(500, "5.5.6", "Authentication exchange line is too long");
  }

  /** An initial response without any octets is written {@code =}, since nothing means none. */
  private static String initial(String written) {
    return written.equals("=") ? "" : written;
  }

  private static Response decode(String text) {
    byte[] octets = strictBase64(text);
    if (octets != null) return new Response.Octets(octets);
    return ended("malformed", Answer.say(501, "5.5.2", "This is not base64 (RFC 4648 4)"));
  }

  /** With padding, without stray bits or anything else that the JDK would let pass. */
  private static byte @Nullable [] strictBase64(String text) {
    try {
      byte[] ascii = text.getBytes(StandardCharsets.ISO_8859_1);
      byte[] octets = Base64.getDecoder().decode(ascii);
      return Arrays.equals(Base64.getEncoder().encode(octets), ascii) ? octets : null;
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  private static Response ended(String result, Answer answer) {
    return new Response.Ended(result, answer);
  }

  private Authentication authentication() {
    return shared.context().authentication().get();
  }

  private ChannelBindings bindings() {
    return wire.connection.tlsSession().map(ChannelBindings::of).orElseGet(ChannelBindings::none);
  }

  private void count(String mechanism, String result) {
    shared.metrics().authentication(mechanism, result);
  }
}
