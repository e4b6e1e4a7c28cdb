package org.quorumail.smtp.server;

import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.auth.User;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.ReversePath;
import org.quorumail.policy.ClientIdentity;
import org.quorumail.policy.SessionView;
import org.quorumail.smtp.Service;

/** What a session tells its filters; looks at the parts of the session when it is asked. */
final class SessionContext implements SessionView {
  private final ListenerContext shared;
  private final Wire wire;
  private final RemoteClient client;
  private @Nullable IncomingTransaction transaction;
  private @Nullable QueueId queueId;

  SessionContext(ListenerContext shared, Wire wire, RemoteClient client) {
    this.shared = shared;
    this.wire = wire;
    this.client = client;
  }

  /** The transaction that is under way from now on, or none. */
  void transaction(@Nullable IncomingTransaction now) {
    transaction = now;
    queueId = null;
  }

  /** The name of the message whose content comes now. */
  void message(QueueId id) {
    queueId = id;
  }

  @Override
  public InetSocketAddress peer() {
    return new InetSocketAddress(client.address(), wire.connection.remotePort());
  }

  @Override
  public java.net.InetAddress client() {
    return client.address();
  }

  @Override
  public ClientIdentity clientIdentity() {
    return client.identity();
  }

  @Override
  public InetSocketAddress listener() {
    return wire.connection.localAddress();
  }

  @Override
  public Service service() {
    return shared.config().service();
  }

  @Override
  public String hostname() {
    return shared.context().hostname();
  }

  @Override
  public long maxMessageSize() {
    return shared.config().maxMessageSize();
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
    if (wire.connection.secured()) protocol += "S";
    return client.user().isPresent() ? protocol + "A" : protocol; // RFC 3848
  }

  @Override
  public Optional<String> tls() {
    return Optional.ofNullable(wire.connection.tlsDescription());
  }

  @Override
  public Optional<String> user() {
    return client.user().map(User::name);
  }

  @Override
  public boolean trusted() {
    return shared.context().policy().get().trusts(client.identity());
  }

  @Override
  public Optional<ReversePath> sender() {
    return Optional.ofNullable(transaction).map(IncomingTransaction::reversePath);
  }

  @Override
  public Optional<MailAddress> submitter() {
    return Optional.ofNullable(transaction).flatMap(IncomingTransaction::submitter);
  }

  @Override
  public List<MailAddress> recipients() {
    return transaction == null ? List.of() : transaction.recipients();
  }

  @Override
  public Optional<QueueId> queueId() {
    return Optional.ofNullable(queueId);
  }
}
