package org.quorumail.smtp.server;

import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;

/**
 * The extensions in the reply to EHLO, RFC 5321 §4.1.1.1: one line for each that works on this
 * listener for this client now. A feature adds its line here, and nowhere else.
 */
final class EhloExtensions {
  /** The limit on FUTURERELEASE, since the spool keeps the message all that time. */
  static final Duration MAX_HOLD = Duration.ofDays(7);

  private final SessionContext session;
  private final ListenerConfig config;
  private final AuthCommand auth;

  EhloExtensions(SessionContext session, AuthCommand auth) {
    this.session = session;
    this.config = session.config();
    this.auth = auth;
  }

  /** The lines after the host's name. */
  List<String> offered() {
    List<String> lines = new ArrayList<>();
    lines.add("PIPELINING"); // RFC 2920
    lines.add("SIZE " + config.maxMessageSize()); // RFC 1870
    lines.add("8BITMIME"); // RFC 6152
    lines.add("CHUNKING"); // RFC 3030
    if (binaryMime()) lines.add("BINARYMIME"); // RFC 3030
    lines.add("SMTPUTF8"); // RFC 6531
    lines.add("ENHANCEDSTATUSCODES"); // RFC 2034
    lines.add("DSN"); // RFC 3461
    if (deliverBy()) lines.add("DELIVERBY"); // RFC 2852
    lines.add("MT-PRIORITY"); // RFC 6710
    lines.add(limits()); // RFC 9422
    if (futureRelease()) lines.add(futureReleaseLine()); // RFC 4865
    if (requireTls()) lines.add("REQUIRETLS"); // RFC 8689
    if (startTls()) lines.add("STARTTLS"); // RFC 3207
    if (etrn()) lines.add("ETRN"); // RFC 1985
    if (xclient()) lines.add(XclientArgument.keyword()); // Postfix
    List<String> mechanisms = auth.offered();
    if (!mechanisms.isEmpty()) lines.add("AUTH " + String.join(" ", mechanisms)); // RFC 4954
    return lines;
  }

  /** RFC 4954 §5: MAIL has the parameter AUTH wherever the command is possible. */
  boolean authentication() {
    return auth.isAvailable();
  }

  /**
   * Returns whether the client may demand what a next hop may be unable to do. The report that
   * follows goes to the sender, whom a stranger can forge. Where MAIL needs AUTH the extensions are
   * offered before it, since clients do not send EHLO again.
   */
  private boolean mayDemand() {
    return session.trusted() || config.requireAuth();
  }

  /** RFC 8689 §4.1: offered only where TLS is in use. A next hop without it causes a report. */
  boolean requireTls() {
    return session.channel().secured() && mayDemand();
  }

  /** RFC 3030 §3. Content that cannot be encoded for a next hop without it causes a report. */
  boolean binaryMime() {
    return mayDemand();
  }

  /** RFC 4865 is for submission, so only for trusted clients. */
  boolean futureRelease() {
    return mayDemand();
  }

  /**
   * Returns whether the client may set a time for delivery, RFC 2852. A time that passes causes a
   * report, which a stranger could send to a victim as the sender.
   */
  boolean deliverBy() {
    return mayDemand();
  }

  /** Returns whether reports may return the content, RFC 3461 §4.3; the sender may be forged. */
  boolean returnsContent() {
    return session.trusted();
  }

  /** Whether the client may ask for more than the ordinary priority, RFC 6710 §5.1. */
  boolean raisedPriority() {
    return session.trusted();
  }

  private String limits() {
    int messages = config.limits().messages();
    return "LIMITS RCPTMAX="
        + config.limits().recipients()
        + (messages > 0 ? " MAILMAX=" + messages : "");
  }

  private String futureReleaseLine() {
    Instant last = session.server().clock().instant().plus(MAX_HOLD);
    return "FUTURERELEASE " + MAX_HOLD.toSeconds() + " " + last.truncatedTo(ChronoUnit.SECONDS);
  }

  /** ETRN is for trusted clients only. */
  boolean etrn() {
    return session.trusted();
  }

  /** Depends on the address of the connection, not on that of an earlier XCLIENT. */
  boolean xclient() {
    InetAddress peer = session.channel().remoteAddress();
    return config.xclientFrom().stream().anyMatch(network -> network.contains(peer));
  }

  boolean startTls() {
    return config.tls() == TlsMode.STARTTLS
        && !session.channel().secured()
        && session.server().tls().get().isPresent();
  }
}
