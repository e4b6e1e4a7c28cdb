package org.quorumail.policy;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.ReversePath;
import org.quorumail.smtp.Service;

/**
 * What a filter may know of a session, as it is at the moment of asking. Belongs to the session's
 * thread: a filter that hands it to another thread must copy what it needs.
 */
public interface SessionView {
  /** Who really sends: behind a proxy, whom the proxy names. */
  InetSocketAddress peer();

  /** The address and port that it came to. */
  InetSocketAddress listener();

  Service service();

  /** This host's name. */
  String hostname();

  /** Octets of the largest message that is taken. */
  long maxMessageSize();

  /** The name that the client gave to EHLO, HELO or LHLO; unverified. */
  Optional<String> helo();

  /** As the Received field has it, RFC 3848: {@code ESMTP}, {@code ESMTPS}, {@code LMTP} … */
  String protocol();

  /** Protocol and cipher suite, {@code TLSv1.3 TLS_AES_256_GCM_SHA384}; empty without TLS. */
  Optional<String> tls();

  /** Who has authenticated. */
  Optional<String> user();

  /** Whether the relay rule lets this client send anywhere: ours, not a stranger. */
  boolean trusted();

  /** The sender of the transaction under way, from the stage MAIL on. */
  Optional<ReversePath> sender();

  /** Who first submitted the message, where the client may say so (AUTH of MAIL, RFC 4954 §5). */
  default Optional<MailAddress> submitter() {
    return Optional.empty();
  }

  /** The recipients accepted so far, as the client wrote them. */
  List<MailAddress> recipients();

  /** The name of the message under way, from the stage DATA on. */
  Optional<QueueId> queueId();

  /** What is proved of the client: what the relay rule may trust. */
  default ClientIdentity clientIdentity() {
    return new ClientIdentity(client(), Set.of(), user());
  }

  default InetAddress client() {
    return peer().getAddress();
  }
}
