package org.quorumail.smtp.server;

import java.util.Optional;
import org.quorumail.mail.QueueId;
import org.quorumail.policy.FilterSession;
import org.quorumail.policy.SessionView;
import org.quorumail.spool.RequestKey;

/**
 * The origin of messages, as their reception sees it: an SMTP session, or a request of another
 * protocol. Used by one thread.
 */
interface MessageSource extends SessionView {
  ServerContext server();

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
