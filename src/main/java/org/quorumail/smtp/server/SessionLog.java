package org.quorumail.smtp.server;

import org.quorumail.smtp.Escape;
import org.quorumail.smtp.Reply;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The log lines that several parts of a session write. */
final class SessionLog {
  private static final Logger LOG = LoggerFactory.getLogger(SmtpSession.class);

  private SessionLog() {}

  /**
   * @param from the sender of the transaction, empty when there is none
   * @param details nothing, or a blank and {@code key=value} words, already escaped
   */
  static void rejected(
      RemoteClient client, String command, Reply reply, String from, String details) {
    LOG.info(
        "event=rejected command={} reply=\"{}\" client={} from={}{}",
        command,
        reply,
        client.host(),
        Escape.quoted(from),
        details);
  }
}
