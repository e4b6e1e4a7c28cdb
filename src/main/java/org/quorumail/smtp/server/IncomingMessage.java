package org.quorumail.smtp.server;

import java.io.IOException;
import org.quorumail.config.Config.Service;
import org.quorumail.mail.QueueId;
import org.quorumail.smtp.Content;
import org.quorumail.smtp.Escape;
import org.quorumail.smtp.Reply;
import org.quorumail.spool.Intake.Readiness;
import org.quorumail.spool.Intake.Reception;
import org.quorumail.spool.Intake.Verdict;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The content of a transaction on its way into the spool, trace header first. Closing it before the
 * commit forgets all of it.
 */
final class IncomingMessage implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SmtpSession.class);

  private final Shared shared;
  private final Wire wire;
  private final Client client;
  private final Transaction transaction;
  private final Reception reception;
  private final SpoolSink sink;

  IncomingMessage(Shared shared, Wire wire, Client client, Transaction transaction) {
    this.shared = shared;
    this.wire = wire;
    this.client = client;
    this.transaction = transaction;
    this.reception = shared.context().intake().receive();
    this.sink = new SpoolSink(reception, wire.connection, shared.config().timeouts().dataBlock());
    sink.trace(traceHeader());
  }

  QueueId id() {
    return reception.id();
  }

  /** Reads content up to its final dot. */
  Content readToDot() throws IOException {
    return wire.reader().readContent(shared.config().maxMessageSize(), sink);
  }

  /** Has the quorum take the message; only its word makes the reply a 250. */
  Reply commit(long size) {
    if (sink.looping()) return Reply.of(554, "5.4.6", "Too many hops, this message is in a loop");
    if (sink.failed()) return Availability.refusal(Readiness.NO_QUORUM);
    long start = System.nanoTime();
    Verdict verdict = reception.commit(transaction.envelope());
    shared.metrics().committed(System.nanoTime() - start);
    return switch (verdict) {
      case Verdict.Accepted accepted -> {
        shared.metrics().received(size);
        LOG.info(
            "event=received queue_id={} from={} nrcpt={} size={} client={} helo={}",
            accepted.id(),
            Escape.quoted(transaction.reversePath().toString()),
            transaction.recipientCount(),
            size,
            client.host(),
            Escape.quoted(String.valueOf(client.name())));
        yield Reply.of(250, "2.0.0", "Ok: queued as " + accepted.id());
      }
      case Verdict.Refused refused -> Availability.refusal(refused.reason());
    };
  }

  @Override
  public void close() {
    reception.close();
  }

  private byte[] traceHeader() {
    String name = client.name();
    return TraceHeader.compose(
        new TraceHeader.Peer(name == null ? "unknown" : name, client.address()),
        protocol(),
        shared.context().hostname(),
        reception.id(),
        transaction.envelope(),
        shared.context().clock().instant());
  }

  /** The "with" of the Received field, RFC 3848. */
  private String protocol() {
    if (!client.extended()) return "SMTP";
    String protocol = shared.config().service() == Service.LMTP ? "LMTP" : "ESMTP";
    return wire.connection.secured() ? protocol + "S" : protocol;
  }
}
