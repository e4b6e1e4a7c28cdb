package org.quorumail.smtp.server;

import java.io.IOException;
import org.quorumail.smtp.SmtpChannel;
import org.quorumail.smtp.SmtpReader;
import org.quorumail.smtp.SmtpWriter;
import org.quorumail.tls.ServerTls;

/** A connection with its reader and writer. Both are new after a handshake (RFC 3207 §4.2). */
final class Wire {
  final SmtpChannel connection;
  private SmtpReader reader;
  private SmtpWriter writer;

  Wire(SmtpChannel connection) {
    this.connection = connection;
    this.writer = new SmtpWriter(connection.output());
    this.reader = new SmtpReader(connection.input(), this::flush);
  }

  SmtpReader reader() {
    return reader;
  }

  SmtpWriter writer() {
    return writer;
  }

  void flush() throws IOException {
    writer.flush();
  }

  /** Whether anything has arrived that is not read yet: after STARTTLS, an attacker's words. */
  boolean unreadInput() throws IOException {
    return reader.buffered() > 0 || connection.hasUnreadInput();
  }

  /** Shakes hands as the server. What was buffered in plain text is dropped. */
  void startTls(ServerTls tls) throws IOException {
    connection.startTls(tls);
    writer = new SmtpWriter(connection.output());
    reader = new SmtpReader(connection.input(), this::flush);
  }
}
