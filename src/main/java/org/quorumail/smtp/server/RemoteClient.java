package org.quorumail.smtp.server;

import java.net.InetAddress;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.quorumail.auth.User;
import org.quorumail.policy.ClientIdentity;
import org.quorumail.smtp.server.XclientArgument.Attribute;
import org.quorumail.tls.CertificateName;

/**
 * Who is at the other end: what the session knows of it, and what it says of itself. Only the
 * session's thread uses it.
 */
final class RemoteClient {
  private InetAddress address;
  private Optional<String> reverseName = Optional.empty();
  private @Nullable String name;
  private boolean extended;
  private Set<CertificateName> certificate = Set.of();
  private Optional<User> user = Optional.empty();

  RemoteClient(InetAddress address) {
    this.address = address;
  }

  InetAddress address() {
    return address;
  }

  /** The address as text, for log lines. */
  String host() {
    return address.getHostAddress();
  }

  /** The argument of EHLO, HELO or LHLO; null before, and again after a handshake. */
  @Nullable String name() {
    return name;
  }

  /** Whether it said EHLO or LHLO, so that it may use extensions. */
  boolean extended() {
    return extended;
  }

  void greeted(String name, boolean extended) {
    this.name = name;
    this.extended = extended;
  }

  /**
   * A trusted host has said who its own client is. What was known of the host itself, its
   * certificate included, says nothing about that one.
   *
   * @param login who its client has proved to be to it
   */
  void applyXclient(XclientArgument.Valid by, Optional<User> login) {
    forgetGreeting();
    certificate = Set.of();
    user = login;
    by.address().ifPresent(known -> address = known);
    if (by.has(Attribute.NAME) || by.has(Attribute.ADDR)) {
      reverseName = by.value(Attribute.NAME);
    }
    boolean esmtp = by.value(Attribute.PROTO).map(p -> p.equals("ESMTP")).orElse(true);
    by.value(Attribute.HELO).ifPresent(helo -> greeted(helo, esmtp));
  }

  /** The name that its address leads to, where a trusted host has said so. */
  Optional<String> reverseName() {
    return reverseName;
  }

  /** What its TLS certificate proves it to be. */
  void certificateNames(Set<CertificateName> names) {
    certificate = names;
  }

  /** What is proved of it: what the policy may trust. */
  ClientIdentity identity() {
    return new ClientIdentity(address, certificate, user.map(User::name));
  }

  /** Who it has proved to be by AUTH; empty before, and again after a handshake. */
  Optional<User> user() {
    return user;
  }

  void authenticated(User user) {
    this.user = Optional.of(user);
  }

  /** Nothing that it has said of itself counts any more. */
  void forgetGreeting() {
    name = null;
    extended = false;
    user = Optional.empty();
  }
}
