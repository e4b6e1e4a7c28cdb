package org.quorumail.smtp.server;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.MailOptions;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.Recipient;
import org.quorumail.mail.ReversePath;
import org.quorumail.policy.ClientIdentity;
import org.quorumail.policy.FilterSession;
import org.quorumail.smtp.ContentSink;
import org.quorumail.smtp.Escape;
import org.quorumail.smtp.Reply;
import org.quorumail.smtp.Service;
import org.quorumail.smtp.server.InjectionEndpoint.InjectionClient;
import org.quorumail.smtp.server.InjectionResult.Cause;
import org.quorumail.spool.RequestKey;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The messages of one request, one after the other, through the stages of an SMTP session: connect,
 * MAIL, RCPT, content, commit. Used by one thread.
 */
public final class InjectionSession implements ReceivingSession, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SmtpSession.class);
  private static final Reply NOT_YOURS =
      Reply.of(553, "5.7.1", "This sender's address is not yours");

  private final InjectionEndpoint endpoint;
  private final InjectionClient client;
  private final SessionMemory memory;
  private final FilterSession filters;
  private final Optional<Reply> unwanted;
  private @Nullable IncomingTransaction transaction;
  private @Nullable QueueId queueId;
  private Supplier<Optional<RequestKey>> key = Optional::empty;

  /** The source of a content, which writes it once. */
  @FunctionalInterface
  public interface ContentSource {
    /**
     * @throws IOException when the content ends too early; no part of it is kept
     */
    void writeTo(ContentSink sink) throws IOException;
  }

  /** The end of a content that is too large. */
  private static final class TooLargeException extends IOException {
    private static final long serialVersionUID = 1L;
  }

  InjectionSession(InjectionEndpoint endpoint, InjectionClient client, SessionMemory memory) {
    this.endpoint = endpoint;
    this.client = client;
    this.memory = memory;
    this.filters = endpoint.server().rules().get().chain().open(this);
    endpoint.opened();
    this.unwanted = filters.connect();
  }

  /**
   * Charges memory that the request needs beside its messages, until the session is closed; false
   * when the node has no room for it.
   */
  public boolean tryReserve(long bytes) {
    return memory.tryReserveForConnection(bytes);
  }

  /**
   * Submits one message and blocks until a quorum has it, or it is refused.
   *
   * @param content with any line ends, which become CRLF
   * @param requestKey asked when all of the content was read
   * @throws IOException that of the content
   */
  public InjectionResult submit(
      ReversePath sender,
      List<MailAddress> recipients,
      ContentSource content,
      Supplier<Optional<RequestKey>> requestKey)
      throws IOException {
    key = requestKey;
    Optional<InjectionResult.Refused> unavailable = endpoint.refusal();
    if (unavailable.isPresent()) return unavailable.get();
    if (unwanted.isPresent()) return refused(Cause.CONTENT, unwanted.get());
    if (sender instanceof ReversePath.Mailbox box && !client.user().maySendAs(box.address())) {
      return refused(Cause.SENDER, NOT_YOURS);
    }
    if (!memory.tryReserve(SessionMemory.TRANSACTION, MemoryBudget.Use.TRANSACTION)) {
      return refused(Cause.BUSY, SessionMemory.REFUSAL);
    }
    IncomingTransaction started =
        new IncomingTransaction(sender, MailOptions.of(BodyType.SEVEN_BIT), true, Optional.empty());
    transaction = started;
    try {
      return submit(started, recipients, content);
    } finally {
      transaction = null;
      queueId = null;
      memory.endTransaction();
      filters.reset();
    }
  }

  @Override
  public void close() {
    filters.close();
    memory.close();
    endpoint.closed();
  }

  private InjectionResult submit(
      IncomingTransaction started, List<MailAddress> recipients, ContentSource content)
      throws IOException {
    Optional<Reply> badSender = filters.mail();
    if (badSender.isPresent()) return refused(Cause.SENDER, badSender.get());
    for (int i = 0; i < recipients.size(); i++) {
      MailAddress recipient = recipients.get(i);
      if (started.contains(recipient.qualified(hostname()))) continue;
      long bytes = SessionMemory.ofRecipient(recipient.toString().length());
      if (!memory.tryReserve(bytes, MemoryBudget.Use.RECIPIENT)) {
        return refused(Cause.BUSY, SessionMemory.REFUSAL);
      }
      Optional<Reply> refusal = filters.rcpt(recipient);
      if (refusal.isPresent()) {
        log("RCPT", refusal.get());
        return new InjectionResult.Refused(Cause.RECIPIENT, refusal.get(), i);
      }
      started.add(new Recipient(recipient.qualified(hostname())));
    }
    if (!IncomingMessage.tryReserve(this)) return refused(Cause.BUSY, SessionMemory.REFUSAL);
    try (IncomingMessage message = IncomingMessage.open(this, started)) {
      SizeLimit limited = new SizeLimit(message, maxMessageSize());
      CrlfSink lines = new CrlfSink(limited);
      content.writeTo(lines);
      lines.finish();
      Reply reply = message.commit(limited.octets());
      if (reply.positive()) return new InjectionResult.Accepted(message.id());
      return refused(InjectionEndpoint.causeOf(reply), reply);
    } catch (TooLargeException e) {
      String text = "Message is larger than " + maxMessageSize() + " octets";
      return refused(Cause.TOO_LARGE, Reply.of(552, "5.3.4", text));
    }
  }

  private InjectionResult.Refused refused(Cause cause, Reply reply) {
    log("DATA", reply);
    return new InjectionResult.Refused(cause, reply, InjectionResult.NO_RECIPIENT);
  }

  private void log(String command, Reply reply) {
    LOG.info(
        "event=rejected command={} reply=\"{}\" client={} from={} user={}",
        command,
        reply,
        client().getHostAddress(),
        Escape.quoted(sender().map(ReversePath::toString).orElse("")),
        Escape.quoted(client.user().name()));
  }

  /** Counts the octets of a content, and ends one that is too large. */
  private static final class SizeLimit implements ContentSink {
    private final ContentSink to;
    private final long limit;
    private long octets;

    SizeLimit(ContentSink to, long limit) {
      this.to = to;
      this.limit = limit;
    }

    long octets() {
      return octets;
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      octets += length;
      if (octets > limit) throw new TooLargeException();
      to.write(bytes, offset, length);
    }
  }

  @Override
  public ServerContext server() {
    return endpoint.server();
  }

  @Override
  public int maxHops() {
    return ListenerLimits.DEFAULT_HOPS;
  }

  @Override
  public FilterSession filters() {
    return filters;
  }

  @Override
  public SessionMemory memory() {
    return memory;
  }

  @Override
  public SmtpMetrics metrics() {
    return endpoint.metrics();
  }

  @Override
  public void queueId(QueueId id) {
    queueId = id;
  }

  @Override
  public Optional<RequestKey> requestKey() {
    return key.get();
  }

  @Override
  public void contentBegun() {}

  @Override
  public Optional<String> reverseName() {
    return Optional.empty();
  }

  @Override
  public InetSocketAddress peer() {
    return client.remote();
  }

  @Override
  public InetSocketAddress listener() {
    return client.local();
  }

  @Override
  public Service service() {
    return Service.SUBMISSION;
  }

  @Override
  public String hostname() {
    return endpoint.hostname();
  }

  @Override
  public long maxMessageSize() {
    return endpoint.maxMessageSize();
  }

  @Override
  public Optional<String> helo() {
    return Optional.empty();
  }

  @Override
  public String protocol() {
    return client.protocol();
  }

  @Override
  public Optional<String> tls() {
    return client.tls();
  }

  @Override
  public Optional<String> user() {
    return Optional.of(client.user().name());
  }

  @Override
  public ClientIdentity clientIdentity() {
    return new ClientIdentity(client(), Set.of(), user());
  }

  @Override
  public boolean trusted() {
    return endpoint.server().policy().get().trusts(clientIdentity());
  }

  @Override
  public @Nullable IncomingTransaction transaction() {
    return transaction;
  }

  @Override
  public Optional<QueueId> queueId() {
    return Optional.ofNullable(queueId);
  }
}
