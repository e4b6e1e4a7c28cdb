package org.quorumail.smtp.server;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.ReversePath;
import org.quorumail.policy.FilterSession;
import org.quorumail.policy.SessionView;
import org.quorumail.spool.RequestKey;

/**
 * The session that a message comes from: SMTP, or a request of another protocol. Used by one
 * thread.
 */
interface ReceivingSession extends SessionView {
  ServerContext server();

  /** The transaction in progress; null outside of one. */
  @Nullable IncomingTransaction transaction();

  @Override
  default Optional<ReversePath> sender() {
    return Optional.ofNullable(transaction()).map(IncomingTransaction::reversePath);
  }

  @Override
  default List<MailAddress> recipients() {
    IncomingTransaction current = transaction();
    return current == null ? List.of() : current.recipients();
  }

  FilterSession filters();

  SessionMemory memory();

  SmtpMetrics metrics();

  /** The number of Received fields at which a message is taken to loop. */
  int maxHops();

  /** Sets the id of the message whose content is received next. */
  void queueId(QueueId id);

  /** Called before the first octets of a content. */
  void contentBegun();

  /** The key of the message that is committed next, if its client may send it again. */
  default Optional<RequestKey> requestKey() {
    return Optional.empty();
  }

  /** The name of the client by reverse DNS, where a trusted host has given it. */
  Optional<String> reverseName();
}
