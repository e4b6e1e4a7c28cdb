package org.quorumail.smtp.server;

import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * Who is at the other end: what the session knows of it, and what it says of itself. Only the
 * session's thread uses it.
 */
final class Client {
  private final InetAddress address;
  private @Nullable String name;
  private boolean extended;

  Client(InetAddress address) {
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

  /** Nothing that it has said of itself counts any more. */
  void forgetGreeting() {
    name = null;
    extended = false;
  }
}
