package org.quorumail.smtp.server;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.auth.User;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.ReversePath;
import org.quorumail.policy.ClientIdentity;
import org.quorumail.policy.FilterSession;
import org.quorumail.policy.SessionPolicy;
import org.quorumail.policy.Tarpit;
import org.quorumail.smtp.Escape;
import org.quorumail.smtp.Reply;
import org.quorumail.smtp.Service;
import org.quorumail.smtp.SmtpChannel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The state of one session that its commands share: the listener's settings, the channel, the
 * client, the filters and the transaction in progress. Filters see it as a {@link
 * org.quorumail.policy.SessionView}. It belongs to the session's thread.
 */
final class SessionContext implements ReceivingSession {
  private static final Logger LOG = LoggerFactory.getLogger(SmtpSession.class);

  private final ListenerContext listener;
  private final SmtpChannel channel;
  private final SessionMemory memory;
  private final RemoteClient client;
  private final SessionPolicy policy;
  private FilterSession filters;
  private @Nullable IncomingTransaction transaction;
  private @Nullable QueueId queueId;

  SessionContext(ListenerContext listener, SmtpChannel channel, SessionMemory memory) {
    this.listener = listener;
    this.channel = channel;
    this.memory = memory;
    this.client = new RemoteClient(channel.remoteAddress());
    this.policy = listener.server().rules().get();
    this.filters = policy.chain().open(this);
  }

  ListenerConfig config() {
    return listener.config();
  }

  @Override
  public ServerContext server() {
    return listener.server();
  }

  @Override
  public int maxHops() {
    return config().limits().hops();
  }

  Availability availability() {
    return listener.availability();
  }

  @Override
  public SmtpMetrics metrics() {
    return listener.metrics();
  }

  SmtpChannel channel() {
    return channel;
  }

  @Override
  public SessionMemory memory() {
    return memory;
  }

  RemoteClient remoteClient() {
    return client;
  }

  Tarpit tarpit() {
    return policy.tarpit();
  }

  @Override
  public FilterSession filters() {
    return filters;
  }

  /** Opens the filters again, for another client on the same connection (XCLIENT). */
  void restartFilters() {
    filters.close();
    filters = policy.chain().open(this);
  }

  /** The transaction in progress: from an accepted MAIL to the reply to the content, or RSET. */
  @Override
  public @Nullable IncomingTransaction transaction() {
    return transaction;
  }

  boolean inTransaction() {
    return transaction != null;
  }

  void startTransaction(IncomingTransaction started) {
    if (transaction != null) throw new IllegalStateException("a transaction is in progress");
    transaction = started;
    queueId = null;
  }

  void endTransaction() {
    if (transaction == null) return;
    transaction = null;
    queueId = null;
    memory.endTransaction();
    filters.reset();
  }

  @Override
  public void contentBegun() {
    channel.deadlinePerBlock(config().timeouts().dataBlock());
  }

  @Override
  public Optional<String> reverseName() {
    return client.reverseName();
  }

  @Override
  public void queueId(QueueId id) {
    queueId = id;
  }

  /**
   * Logs that a command, a client or a message was rejected.
   *
   * @param details empty, or a blank and {@code key=value} pairs, already escaped
   */
  void logRejected(String command, Reply reply, String details) {
    LOG.info(
        "event=rejected command={} reply=\"{}\" client={} from={}{}",
        command,
        reply,
        client.host(),
        Escape.quoted(sender().map(ReversePath::toString).orElse("")),
        details);
  }

  @Override
  public InetSocketAddress peer() {
    return new InetSocketAddress(client.address(), channel.remotePort());
  }

  @Override
  public InetAddress client() {
    return client.address();
  }

  @Override
  public ClientIdentity clientIdentity() {
    return client.identity();
  }

  @Override
  public InetSocketAddress listener() {
    return channel.localAddress();
  }

  @Override
  public Service service() {
    return config().service();
  }

  @Override
  public String hostname() {
    return server().hostname();
  }

  @Override
  public long maxMessageSize() {
    return config().maxMessageSize();
  }

  @Override
  public Optional<String> helo() {
    return Optional.ofNullable(client.name());
  }

  @Override
  public String protocol() {
    if (!client.extended()) return "SMTP";
    boolean lmtp = service() == Service.LMTP;
    boolean utf8 = transaction != null && transaction.smtpUtf8();
    String extended = lmtp ? "LMTP" : "ESMTP";
    String international = lmtp ? "UTF8LMTP" : "UTF8SMTP"; // RFC 6531 §3.7.3
    String protocol = utf8 ? international : extended;
    if (channel.secured()) protocol += "S";
    return client.user().isPresent() ? protocol + "A" : protocol; // RFC 3848
  }

  @Override
  public Optional<String> tls() {
    return Optional.ofNullable(channel.tlsDescription());
  }

  @Override
  public Optional<String> user() {
    return client.user().map(User::name);
  }

  @Override
  public boolean trusted() {
    return server().policy().get().trusts(client.identity());
  }

  @Override
  public boolean binaryContent() {
    return transaction != null && transaction.options().body() == BodyType.BINARY_MIME;
  }

  @Override
  public Optional<MailAddress> submitter() {
    return Optional.ofNullable(transaction).flatMap(IncomingTransaction::submitter);
  }

  @Override
  public Optional<QueueId> queueId() {
    return Optional.ofNullable(queueId);
  }
}
