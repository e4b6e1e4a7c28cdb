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
 * The client of a session: its address, its EHLO name, and the identities that it has proved. Only
 * the session's thread uses it.
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

  /** Whether the client sent EHLO or LHLO, so that it may use extensions. */
  boolean extended() {
    return extended;
  }

  void greeted(String name, boolean extended) {
    this.name = name;
    this.extended = extended;
  }

  /**
   * Replaces the client by the one that a trusted host names. The certificate of the host itself
   * proves nothing about that client.
   *
   * @param login the user as whom that client has logged in at the host
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

  /** The reverse DNS name of the address, where a trusted host has given it. */
  Optional<String> reverseName() {
    return reverseName;
  }

  /** Sets the names that the TLS certificate proves. */
  void certificateNames(Set<CertificateName> names) {
    certificate = names;
  }

  /** The proved identity, which the policy may trust. */
  ClientIdentity identity() {
    return new ClientIdentity(address, certificate, user.map(User::name));
  }

  /** The user of a successful AUTH; empty before, and again after a handshake. */
  Optional<User> user() {
    return user;
  }

  void authenticated(User user) {
    this.user = Optional.of(user);
  }

  /** Forgets the EHLO name and the login. */
  void forgetGreeting() {
    name = null;
    extended = false;
    user = Optional.empty();
  }
}
