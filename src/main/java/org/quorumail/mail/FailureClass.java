package org.quorumail.mail;

import java.util.Locale;
import java.util.Optional;

/**
 * The class of a failure: the cause that a reply or a reason of this node names. The set is closed,
 * so that it can be a label of a metric.
 */
public enum FailureClass {
  /** The mailbox does not exist. */
  BAD_MAILBOX,
  /** The mailbox exists and is disabled. */
  INACTIVE_MAILBOX,
  /** The domain does not exist or takes no mail. */
  BAD_DOMAIN,
  /** The sender's address or domain is refused. */
  BAD_SENDER,
  MAILBOX_FULL,
  /** The message exceeds a limit of size. */
  TOO_LARGE,
  /** The form of the content is refused. */
  CONTENT,
  VIRUS,
  /** The content is taken for spam. */
  SPAM_CONTENT,
  /** The address or the reputation of this host is on a list. */
  SPAM_BLOCK,
  POLICY,
  /** The server does not relay for this client. */
  RELAY_DENIED,
  RATE_LIMITED,
  GREYLISTED,
  /** SPF, DKIM, DMARC or reverse DNS of the sender. */
  SENDER_AUTHENTICATION,
  /** The login of this node is refused or missing: an operator must look. */
  AUTHENTICATION,
  PROTOCOL,
  DNS,
  /** The host does not answer, or the session is lost. */
  NETWORK,
  TLS,
  /** A loop, or no way to the host. */
  ROUTING,
  /** The server has a problem of its own. */
  REMOTE_SYSTEM,
  /** An operator bounced the message. */
  OPERATOR,
  /** No rule fits. */
  OTHER;

  /** The name as files, logs and labels have it: {@code bad-mailbox}. */
  public String text() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** Reads {@link #text}, in any case. */
  public static Optional<FailureClass> parse(String text) {
    for (FailureClass c : values()) if (c.text().equalsIgnoreCase(text)) return Optional.of(c);
    return Optional.empty();
  }
}
