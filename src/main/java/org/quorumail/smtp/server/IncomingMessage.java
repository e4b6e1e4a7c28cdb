package org.quorumail.smtp.server;

import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailOptions;
import org.quorumail.mail.QueueId;
import org.quorumail.policy.ContentBuffer;
import org.quorumail.policy.EnvelopeEditor;
import org.quorumail.policy.FilterSession;
import org.quorumail.policy.MessageContent;
import org.quorumail.policy.MessageVerdict;
import org.quorumail.smtp.ContentResult;
import org.quorumail.smtp.ContentSink;
import org.quorumail.smtp.Escape;
import org.quorumail.smtp.Reply;
import org.quorumail.smtp.Service;
import org.quorumail.spool.Intake.CommitResult;
import org.quorumail.spool.Intake.MessageWriter;
import org.quorumail.spool.Intake.Readiness;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The content of a transaction on its way into the spool. When a filter wants to read it, it is
 * gathered before, and goes to the spool as the filters leave it; otherwise it goes there as it
 * comes. The trace header is given to the spool with the commit. Closing it before the commit
 * forgets all of it.
 */
final class IncomingMessage implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SmtpSession.class);
  private static final int PIECE = 16 * 1024;

  private final ListenerContext shared;
  private final Wire wire;
  private final RemoteClient client;
  private final IncomingTransaction transaction;
  private final SessionContext facts;
  private final FilterSession screening;
  private final MessageWriter reception;
  private final @Nullable ContentBuffer gathered;
  private final SpoolSink sink;
  private @Nullable MessageVerdict judged;
  private boolean spoolFailed;
  private long size; // of chunks

  IncomingMessage(
      ListenerContext shared,
      Wire wire,
      RemoteClient client,
      IncomingTransaction transaction,
      SessionContext facts,
      FilterSession screening) {
    this.shared = shared;
    this.wire = wire;
    this.client = client;
    this.transaction = transaction;
    this.facts = facts;
    this.screening = screening;
    this.reception = shared.context().intake().newMessage();
    facts.message(reception.id());
    boolean read = screening.needsContent();
    this.gathered = read ? new ContentBuffer(shared.context().scratch()) : null;
    ContentSink target = gathered != null ? gathered : reception::write;
    this.sink = new SpoolSink(target, wire.connection, shared.config().timeouts().dataBlock());
    if (shared.config().service() == Service.SUBMISSION) {
      ServerContext context = shared.context();
      sink.completeHeader(
          TraceHeader.date(context.clock().instant()),
          "<" + reception.id() + "@" + context.hostname() + ">");
    }
    if (!read) begin(screening.judgeWithoutContent());
  }

  QueueId id() {
    return reception.id();
  }

  /** Reads content up to its final dot. */
  ContentResult readToDot() throws IOException {
    return wire.reader().readContent(shared.config().maxMessageSize(), sink);
  }

  /** Reads one chunk; false when the connection ended inside it. */
  boolean readChunk(long octets) throws IOException {
    size += octets;
    if (size > shared.config().maxMessageSize()) return discardChunk(wire, octets);
    return wire.reader().readChunk(octets, sink);
  }

  /** Reads a chunk that nobody wants, so that no part of it is taken for a command. */
  static boolean discardChunk(Wire wire, long octets) throws IOException {
    return wire.reader().readChunk(octets, (bytes, offset, length) -> {});
  }

  /** Octets of all chunks so far. */
  long size() {
    return size;
  }

  /** What keeps the message from being kept, as far as it is known yet. */
  Optional<Reply> failure() {
    if (!sink.failed()) return Optional.empty();
    Readiness reason = gathered == null ? Readiness.NO_QUORUM : Readiness.DISK_FULL;
    return Optional.of(Availability.refusal(reason));
  }

  /** Has the filters judge, then the quorum take the message; only its word makes a 250. */
  Reply commit(long size) {
    sink.end();
    if (sink.looping()) return Reply.of(554, "5.4.6", "Too many hops, this message is in a loop");
    Optional<Reply> failure = failure();
    if (failure.isPresent()) return failure.get();
    if (gathered != null) begin(screening.judge(gathered));
    return switch (judged) {
      case MessageVerdict.Accept take -> keep(take, size);
      case MessageVerdict.Refuse refuse -> refuse.reply();
      case MessageVerdict.Discard discard -> discarded(discard.reason());
      case null -> throw new IllegalStateException("judged before the commit");
    };
  }

  /** What was asked, with what the content is really like. */
  private MailOptions options() {
    MailOptions asked = transaction.options();
    boolean undeclared = asked.body() == BodyType.SEVEN_BIT && sink.facts().eightBit();
    return asked.withContentFacts(
        undeclared ? BodyType.EIGHT_BIT_MIME : asked.body(),
        transaction.smtpUtf8() && sink.eightBitHeader(),
        sink.facts().bareLineEnds());
  }

  @Override
  public void close() {
    reception.close();
    try {
      if (gathered != null) gathered.close();
    } catch (IOException e) {
      LOG.warn("event=scratch_not_closed reason={}", Escape.quoted(String.valueOf(e.getMessage())));
    }
  }

  /** The content that was judged goes to the spool. */
  private void begin(MessageVerdict judgement) {
    judged = judgement;
    if (!(judgement instanceof MessageVerdict.Accept take)) return;
    try {
      pass(take.content());
    } catch (IOException e) {
      LOG.warn(
          "event=not_kept queue_id={} reason={}",
          id(),
          Escape.quoted(String.valueOf(e.getMessage())));
      spoolFailed = true;
    }
  }

  private void pass(MessageContent content) throws IOException {
    if (content.size() == 0) return;
    byte[] piece = new byte[(int) Math.min(PIECE, content.size())];
    try (InputStream in = content.open()) {
      for (int n = in.read(piece); n > 0; n = in.read(piece)) reception.write(piece, 0, n);
    }
  }

  private Reply keep(MessageVerdict.Accept take, long size) {
    if (spoolFailed) return Availability.refusal(Readiness.NO_QUORUM);
    Envelope envelope = EnvelopeEditor.apply(transaction.envelope(options()), take.envelopeEdits());
    if (envelope.recipients().isEmpty()) return discarded("a filter removed all recipients");
    long start = System.nanoTime();
    CommitResult verdict = reception.commit(envelope, traceHeader(), take.holdReason());
    shared.metrics().committed(System.nanoTime() - start);
    return switch (verdict) {
      case CommitResult.Accepted accepted -> {
        shared.metrics().received(size);
        received(envelope, take.holdReason(), size);
        yield Reply.of(250, "2.0.0", "Ok: queued as " + accepted.id());
      }
      case CommitResult.Refused refused -> Availability.refusal(refused.reason());
    };
  }

  private void received(Envelope envelope, Optional<String> hold, long size) {
    LOG.info(
        "event=received queue_id={} from={} nrcpt={} size={} client={} helo={}{}{}{}",
        id(),
        Escape.quoted(envelope.reversePath().toString()),
        envelope.recipients().size(),
        size,
        client.host(),
        Escape.quoted(String.valueOf(client.name())),
        client.user().map(user -> " user=" + Escape.quoted(user.name())).orElse(""),
        transaction.submitter().map(by -> " submitter=" + Escape.quoted(by.toString())).orElse(""),
        hold.map(reason -> " held=" + Escape.quoted(reason)).orElse(""));
  }

  /** The one way to say 250 without keeping anything: a filter of the operator's wants it so. */
  private Reply discarded(String reason) {
    LOG.info(
        "event=discarded queue_id={} from={} client={} reason={}",
        id(),
        Escape.quoted(transaction.reversePath().toString()),
        client.host(),
        Escape.quoted(reason));
    return Reply.of(250, "2.0.0", "Ok: queued as " + id());
  }

  private byte[] traceHeader() {
    String name = client.name();
    return TraceHeader.compose(
        new TraceHeader.FromClause(
            name == null ? "unknown" : name, client.reverseName(), client.address()),
        facts.protocol(),
        shared.context().hostname(),
        reception.id(),
        transaction.envelope(),
        shared.context().clock().instant());
  }
}
