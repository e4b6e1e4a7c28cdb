package org.quorumail.smtp.server;

import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailOptions;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.Recipient;
import org.quorumail.policy.ContentBuffer;
import org.quorumail.policy.EnvelopeEditor;
import org.quorumail.policy.MessageContent;
import org.quorumail.policy.MessageVerdict;
import org.quorumail.smtp.ContentResult;
import org.quorumail.smtp.ContentSink;
import org.quorumail.smtp.Escape;
import org.quorumail.smtp.NextHopLimits;
import org.quorumail.smtp.Reply;
import org.quorumail.smtp.Service;
import org.quorumail.smtp.SmtpChannel;
import org.quorumail.spool.Arrival;
import org.quorumail.spool.Intake.CommitResult;
import org.quorumail.spool.Intake.MessageWriter;
import org.quorumail.spool.Intake.Readiness;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The content of a transaction on its way into the spool. It is written to the spool as it arrives.
 * If a filter reads it, it is buffered, judged, and then written as the filters leave it. The trace
 * header goes with the commit, since it is stored beside the content. Closing the message before
 * the commit discards it.
 *
 * <p>A failing target does not end the reading: the client gets the reply after its final dot (RFC
 * 5321 §4.2.5).
 */
final class IncomingMessage implements ContentSink, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SmtpSession.class);
  static final Reply BARE_LINE_END =
      Reply.of(550, "5.6.11", "A bare CR or LF is not allowed (RFC 5321 2.3.8)");
  private static final Reply NUL_BESIDE_DOT =
      Reply.of(550, "5.6.11", "A line of NUL and a dot is not allowed (RFC 5322 4)");
  static final Reply ACCEPTED_BEFORE =
      Reply.of(451, "4.3.0", "The same request was accepted a moment ago");

  private static final Reply NO_UTF8 =
      Reply.of(550, "5.6.7", "The next hop takes no internationalized mail (no SMTPUTF8)");

  /** RFC 5321 §4.5.3.1.7. */
  private static final int SIZE_THAT_ALL_TAKE = 64 * 1024;

  private static final int COPY_BUFFER = 16 * 1024;

  /** The buffer of the connection while content arrives, and the scanners of the content. */
  private static final int READ_MEMORY = 24 * 1024;

  /** The octets that the buffers have room for from the beginning. */
  private static final int FIRST_OCTETS = 8 * 1024;

  /** The octets of a message that are in memory at most; the rest is in a file or in the log. */
  private static final int MAX_OCTETS_IN_MEMORY = 256 * 1024;

  /** The octets by which the memory grows: one charge for several reads. */
  private static final int GROWTH_OCTETS = 32 * 1024;

  /** The writer's buffer and the entry; a filter's buffer beside them. */
  private static final int COPIES = 2;

  private static final int COPIES_WITH_FILTERS = 3;

  private final ReceivingSession source;
  private final IncomingTransaction transaction;
  private final MessageWriter writer;
  private final @Nullable ContentBuffer buffer; // where filters read the content
  private final ContentScanner received = new ContentScanner();
  private final ContentScanner stored; // as filters leave the content
  private final MessageIdScanner messageId = new MessageIdScanner();
  private final @Nullable HeaderCompletion completion;
  private @Nullable MessageVerdict verdict;
  private boolean blockReceived;
  private boolean targetFailed;
  private boolean outOfMemory;
  private boolean closed;
  private int octetsCharged = FIRST_OCTETS;
  private int octetsInMemory; // at most MAX_OCTETS_IN_MEMORY are counted
  private boolean spoolFailed;
  private boolean committed;
  private long chunkOctets;

  private IncomingMessage(
      ReceivingSession source, IncomingTransaction transaction, MessageWriter writer) {
    this.source = source;
    this.transaction = transaction;
    this.writer = writer;
    boolean needsContent = source.filters().needsContent();
    this.buffer = needsContent ? new ContentBuffer(source.server().scratch()) : null;
    this.stored = needsContent ? new ContentScanner() : received;
    this.completion = source.service() == Service.SUBMISSION ? completion() : null;
  }

  /** Charges the memory that a message needs from the beginning; call it before {@link #open}. */
  static boolean tryReserve(ReceivingSession source) {
    long bytes = READ_MEMORY + (long) copies(source) * FIRST_OCTETS;
    return source.memory().tryReserve(bytes, MemoryBudget.Use.CONTENT);
  }

  private static int copies(ReceivingSession source) {
    return source.filters().needsContent() ? COPIES_WITH_FILTERS : COPIES;
  }

  /** Starts a message under a new queue id, which the filters see from now on. */
  static IncomingMessage open(ReceivingSession source, IncomingTransaction transaction) {
    MessageWriter writer = source.server().intake().newMessage();
    source.queueId(writer.id());
    IncomingMessage message = new IncomingMessage(source, transaction, writer);
    if (message.buffer == null) message.judged(source.filters().judgeWithoutContent());
    return message;
  }

  QueueId id() {
    return writer.id();
  }

  /** Reads content up to its final dot. */
  ContentResult readToDot(SmtpChannel channel) throws IOException {
    return channel.reader().readContent(source.maxMessageSize(), this);
  }

  /** Reads one chunk; false when the connection ended inside it. */
  boolean readChunk(SmtpChannel channel, long octets) throws IOException {
    chunkOctets += octets;
    if (chunkOctets > source.maxMessageSize()) return discardChunk(channel, octets);
    return channel.reader().readChunk(octets, this);
  }

  /** Reads and discards a chunk, so that no part of it is taken for a command. */
  static boolean discardChunk(SmtpChannel channel, long octets) throws IOException {
    return channel.reader().readChunk(octets, (bytes, offset, length) -> {});
  }

  /** Octets of all chunks so far. */
  long chunkOctets() {
    return chunkOctets;
  }

  /** The refusal of a message that is malformed or could not be stored so far. */
  Optional<Reply> failure() {
    Optional<Reply> malformed = malformed(false);
    if (malformed.isPresent()) return malformed;
    if (outOfMemory) return Optional.of(SessionMemory.REFUSAL);
    if (!targetFailed) return Optional.empty();
    Readiness reason = buffer == null ? Readiness.NO_QUORUM : Readiness.DISK_FULL;
    return Optional.of(Availability.refusal(reason));
  }

  /** Receives the next octets of the content, unstuffed. */
  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    if (!blockReceived) { // the first block had the time of data_init
      blockReceived = true;
      source.contentBegun();
    }
    received.accept(bytes, offset, length);
    if (isLooping() || malformed(false).isPresent()) return;
    if (completion == null) store(bytes, offset, length);
    else completion.write(bytes, offset, length);
  }

  private boolean isLooping() {
    return received.hops() >= source.maxHops();
  }

  /** Asks the filters, then commits to the quorum; only the quorum's answer makes a 250. */
  Reply commit(long size) {
    if (committed) throw new IllegalStateException("a message is committed once");
    committed = true;
    if (isLooping()) {
      return Reply.of(554, "5.4.6", "Too many hops, this message is in a loop");
    }
    Optional<Reply> malformed = malformed(true);
    if (malformed.isPresent()) return malformed.get();
    if (completion != null) finish(completion);
    Optional<Reply> failure = failure();
    if (failure.isPresent()) return failure.get();
    if (buffer != null) judged(source.filters().judge(buffer));
    return switch (verdict) {
      case MessageVerdict.Accept accept -> accept(accept, size);
      case MessageVerdict.Refuse refuse -> refuse.reply();
      case MessageVerdict.Discard discard -> discarded(discard.reason());
      case null -> throw new IllegalStateException("a message is judged before it is committed");
    };
  }

  @Override
  public void close() {
    if (closed) return;
    closed = true;
    writer.close();
    try {
      if (buffer != null) buffer.close();
    } catch (IOException e) {
      LOG.warn(
          "event=scratch_file_not_closed reason={}", Escape.quoted(String.valueOf(e.getMessage())));
    }
  }

  /** RFC 6409 §8: a submitted message without Date or Message-ID gets these fields. */
  private HeaderCompletion completion() {
    return new HeaderCompletion(
        this::store,
        TraceHeader.date(source.server().clock().instant()),
        "<" + writer.id() + "@" + source.hostname() + ">");
  }

  private void finish(HeaderCompletion header) {
    try {
      header.finish();
    } catch (IOException e) {
      targetFailed = true;
    }
  }

  private void store(byte[] bytes, int offset, int length) {
    if (targetFailed) return;
    if (!hasMemoryFor(length)) { // what was received is discarded, and the rest with it
      outOfMemory = true;
      targetFailed = true;
      close();
      source.memory().release((long) copies() * octetsCharged);
      return;
    }
    messageId.accept(bytes, offset, length);
    try {
      if (buffer != null) buffer.write(bytes, offset, length);
      else writer.write(bytes, offset, length);
    } catch (IOException e) {
      targetFailed = true;
    }
  }

  /** Charges more memory when the content outgrows what is charged. */
  private boolean hasMemoryFor(int more) {
    octetsInMemory = (int) Math.min(MAX_OCTETS_IN_MEMORY, (long) octetsInMemory + more);
    if (octetsInMemory <= octetsCharged) return true;
    int growth =
        Math.max(
            octetsInMemory - octetsCharged,
            Math.min(GROWTH_OCTETS, MAX_OCTETS_IN_MEMORY - octetsCharged));
    long bytes = (long) copies() * growth;
    if (!source.memory().tryReserve(bytes, MemoryBudget.Use.CONTENT)) return false;
    octetsCharged += growth;
    return true;
  }

  private int copies() {
    return buffer == null ? COPIES : COPIES_WITH_FILTERS;
  }

  /** Keeps the verdict, and writes the content that it accepts to the spool. */
  private void judged(MessageVerdict decided) {
    verdict = decided;
    if (!(decided instanceof MessageVerdict.Accept accept)) return;
    try {
      copy(accept.content());
    } catch (IOException e) {
      LOG.warn(
          "event=content_not_stored queue_id={} reason={}",
          id(),
          Escape.quoted(String.valueOf(e.getMessage())));
      spoolFailed = true;
    }
  }

  private void copy(MessageContent content) throws IOException {
    if (content.size() == 0) return;
    byte[] piece = new byte[(int) Math.min(COPY_BUFFER, content.size())];
    try (InputStream in = content.open()) {
      for (int n = in.read(piece); n > 0; n = in.read(piece)) {
        stored.accept(piece, 0, n);
        writer.write(piece, 0, n);
      }
    }
  }

  private Reply accept(MessageVerdict.Accept accept, long size) {
    if (spoolFailed) return Availability.refusal(Readiness.NO_QUORUM);
    Envelope envelope =
        EnvelopeEditor.apply(transaction.envelope(options()), accept.envelopeEdits());
    if (envelope.recipients().isEmpty()) return discarded("a filter removed all recipients");
    byte[] trace = TraceHeader.compose(source, id(), transaction.envelope());
    Optional<Reply> undeliverable = undeliverable(envelope, trace.length + size);
    if (undeliverable.isPresent()) return undeliverable.get();
    writer.arrival(arrival());
    long start = System.nanoTime();
    source.requestKey().ifPresent(writer::onlyOnce);
    CommitResult result = writer.commit(envelope, trace, accept.holdReason());
    source.metrics().committed(System.nanoTime() - start);
    return switch (result) {
      case CommitResult.Accepted accepted -> {
        source.metrics().received(size);
        logReceived(envelope, accept.holdReason(), size);
        yield Reply.of(250, "2.0.0", "Ok: queued as " + accepted.id());
      }
      case CommitResult.AcceptedBefore before -> ACCEPTED_BEFORE;
      case CommitResult.Refused refused -> Availability.refusal(refused.reason());
    };
  }

  /**
   * The refusal of a stranger's message that a next hop is known not to take. Accepted, it could
   * only be returned to a sender whom he may have forged. An alias for several is refused only when
   * none of them can have the message.
   */
  private Optional<Reply> undeliverable(Envelope envelope, long size) {
    boolean utf8 = envelope.options().utf8Header() || !envelope.reversePath().ascii();
    Optional<Reply> first = Optional.empty();
    boolean deliverable = false;
    for (Recipient recipient : envelope.recipients()) {
      boolean needsUtf8 = utf8 || !recipient.address().ascii();
      boolean harmless = !needsUtf8 && size <= SIZE_THAT_ALL_TAKE;
      if (!harmless && source.trusted()) return Optional.empty();
      Optional<Reply> refusal =
          harmless ? Optional.empty() : refusalOfNextHop(recipient, needsUtf8, size);
      if (refusal.isPresent() && transaction.contains(recipient.address())) return refusal;
      deliverable |= refusal.isEmpty();
      first = first.or(() -> refusal);
    }
    return deliverable ? Optional.empty() : first;
  }

  private Optional<Reply> refusalOfNextHop(Recipient recipient, boolean needsUtf8, long size) {
    Optional<NextHopLimits> limits = source.server().nextHops().apply(recipient.address().domain());
    if (limits.isEmpty()) return Optional.empty();
    if (needsUtf8 && !limits.get().smtpUtf8()) return Optional.of(NO_UTF8);
    long most = limits.get().maxSize();
    return size > most
        ? Optional.of(Reply.of(552, "5.3.4", "The next hop takes at most " + most + " octets"))
        : Optional.empty();
  }

  /** The refusal of content that hides something from a filter or a later host. */
  private Optional<Reply> malformed(boolean complete) {
    boolean binary = transaction.options().body() == BodyType.BINARY_MIME;
    if (received.hasForbiddenLineEnd(binary, complete)) return Optional.of(BARE_LINE_END);
    // binary content leaves by BDAT, or encoded
    return !binary && received.hasNulBesideDot(complete)
        ? Optional.of(NUL_BESIDE_DOT)
        : Optional.empty();
  }

  /** The options of MAIL, corrected by the properties of the content that is stored. */
  private MailOptions options() {
    MailOptions declared = transaction.options();
    boolean undeclared = declared.body() == BodyType.SEVEN_BIT && stored.hasEightBit();
    return declared.withContentFacts(
        undeclared ? BodyType.EIGHT_BIT_MIME : declared.body(),
        transaction.smtpUtf8() && stored.hasEightBitHeader(),
        stored.hasBareLineEnds());
  }

  private Arrival arrival() {
    return new Arrival(
        source.client().getHostAddress(),
        source.reverseName().orElse(""),
        source.helo().orElse(""),
        source.protocol(),
        source.tls().orElse(""),
        source.user().orElse(""),
        messageId.messageId().orElse(""));
  }

  private void logReceived(Envelope envelope, Optional<String> holdReason, long size) {
    LOG.info(
        "event=received queue_id={} from={} nrcpt={} size={} client={} helo={}{}{}{}{}",
        id(),
        Escape.quoted(envelope.reversePath().toString()),
        envelope.recipients().size(),
        size,
        source.client().getHostAddress(),
        Escape.quoted(source.helo().orElse("null")),
        messageId.messageId().map(m -> " message_id=" + Escape.quoted(m)).orElse(""),
        source.user().map(user -> " user=" + Escape.quoted(user)).orElse(""),
        transaction.submitter().map(by -> " submitter=" + Escape.quoted(by.toString())).orElse(""),
        holdReason.map(reason -> " held=" + Escape.quoted(reason)).orElse(""));
  }

  /** Answers 250 without storing the message, which only a filter of the operator can demand. */
  private Reply discarded(String reason) {
    LOG.info(
        "event=discarded queue_id={} from={} client={} reason={}",
        id(),
        Escape.quoted(transaction.reversePath().toString()),
        source.client().getHostAddress(),
        Escape.quoted(reason));
    return Reply.of(250, "2.0.0", "Ok: queued as " + id());
  }
}
