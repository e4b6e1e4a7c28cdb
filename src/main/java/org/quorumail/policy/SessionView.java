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
 * A filter's view of a session, at the moment of each call. It belongs to the session's thread: a
 * filter that uses another thread must copy what it needs first.
 */
public interface SessionView {
  /** The client; behind a proxy, the one that the proxy reports. */
  InetSocketAddress peer();

  /** The address and port to which the client connected. */
  InetSocketAddress listener();

  Service service();

  /** This host's name. */
  String hostname();

  /** The octets of the largest message that is accepted. */
  long maxMessageSize();

  /** The unverified name that the client gave with EHLO, HELO or LHLO. */
  Optional<String> helo();

  /** The protocol as in the Received field, RFC 3848: {@code ESMTP}, {@code ESMTPS} … */
  String protocol();

  /** TLS protocol and cipher suite, {@code TLSv1.3 TLS_AES_256_GCM_SHA384}; empty without TLS. */
  Optional<String> tls();

  /** The name of the authenticated user. */
  Optional<String> user();

  /** Returns whether the relay rule lets this client send anywhere. */
  boolean trusted();

  /** The reverse-path of the current transaction, from the stage MAIL on. */
  Optional<ReversePath> sender();

  /** The first submitter, where the client may name one (AUTH of MAIL, RFC 4954 §5). */
  default Optional<MailAddress> submitter() {
    return Optional.empty();
  }

  /** Returns whether MAIL declared BODY=BINARYMIME, so that the body may have bare line ends. */
  default boolean binaryContent() {
    return false;
  }

  /** The recipients accepted so far, before aliases replace them, with the least quoting. */
  List<MailAddress> recipients();

  /** The queue id of the current message, from the stage DATA on. */
  Optional<QueueId> queueId();

  /** The proved identity of the client, which the relay rule may trust. */
  default ClientIdentity clientIdentity() {
    return new ClientIdentity(client(), Set.of(), user());
  }

  default InetAddress client() {
    return peer().getAddress();
  }
}
