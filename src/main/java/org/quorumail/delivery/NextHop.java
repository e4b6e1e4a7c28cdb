package org.quorumail.delivery;

import java.nio.file.Path;
import java.util.Locale;
import org.quorumail.config.HostPort;
import org.quorumail.delivery.local.LocalTarget;
import org.quorumail.mail.Outcome;

/** One target of a route. {@link NextHopParser} reads it. */
public sealed interface NextHop {
  int SMTP_PORT = 25;
  int LMTP_PORT = 24;
  int DEFAULT_PRIORITY = 10;
  int DEFAULT_WEIGHT = 100;

  /**
   * A fixed host: {@code smtp://relay:25?priority=10&weight=100}. Lower priority is tried first.
   */
  record Smtp(HostPort host, int priority, int weight) implements NextHop {}

  /** A mail store that takes LMTP: {@code lmtp://127.0.0.1:24?priority=10&weight=100}. */
  record Lmtp(HostPort host, int priority, int weight) implements NextHop {}

  /** A mail store that takes LMTP over a socket of this machine: {@code lmtp+unix:/run/x.sock}. */
  record LmtpSocket(Path path, int priority, int weight) implements NextHop {}

  /** The MX hosts of the recipient's domain: {@code mx}. */
  record Mx() implements NextHop {}

  /** No host: mail is counted as delivered and discarded: {@code discard}. */
  record Discard() implements NextHop {}

  /** No host: every recipient gets this outcome, a failure: {@code error:550 5.1.1 text}. */
  record Reject(Outcome outcome) implements NextHop {}

  /** A mailbox or a program of this machine: {@code maildir:}, {@code mbox:}, {@code pipe:}. */
  record Local(LocalTarget target) implements NextHop {}

  /** The target as the configuration writes it, without priority and weight. */
  default String text() {
    return switch (this) {
      case Smtp smtp -> "smtp://" + smtp.host().toString().toLowerCase(Locale.ROOT);
      case Lmtp lmtp -> "lmtp://" + lmtp.host().toString().toLowerCase(Locale.ROOT);
      case LmtpSocket socket -> "lmtp+unix:" + socket.path();
      case Mx mx -> "mx";
      case Discard discard -> "discard";
      case Reject reject -> "error:" + reject.outcome().diagnostic();
      case Local local -> local.target().toString();
    };
  }

  default int attemptPriority() {
    return switch (this) {
      case Smtp smtp -> smtp.priority();
      case Lmtp lmtp -> lmtp.priority();
      case LmtpSocket socket -> socket.priority();
      case Mx mx -> DEFAULT_PRIORITY;
      case Discard discard -> DEFAULT_PRIORITY;
      case Reject reject -> DEFAULT_PRIORITY;
      case Local local -> DEFAULT_PRIORITY;
    };
  }

  default int attemptWeight() {
    return switch (this) {
      case Smtp smtp -> smtp.weight();
      case Lmtp lmtp -> lmtp.weight();
      case LmtpSocket socket -> socket.weight();
      case Mx mx -> DEFAULT_WEIGHT;
      case Discard discard -> DEFAULT_WEIGHT;
      case Reject reject -> DEFAULT_WEIGHT;
      case Local local -> DEFAULT_WEIGHT;
    };
  }

  /** Returns whether this is one server that the configuration names. */
  default boolean isServer() {
    return this instanceof Smtp || this instanceof Lmtp || this instanceof LmtpSocket;
  }

  /** Returns whether this is no host, so that it cannot share a route with others. */
  default boolean standsAlone() {
    return this instanceof Reject || this instanceof Local;
  }
}
