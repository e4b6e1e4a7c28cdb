package org.quorumail.delivery;

import org.quorumail.config.HostPort;

/** One target of a route. */
public sealed interface NextHop {
  /**
   * A fixed host: {@code smtp://relay:25?priority=10&weight=100}. Lower priority is tried first.
   */
  record Smtp(HostPort host, int priority, int weight) implements NextHop {}

  /** {@code lmtp://127.0.0.1:24}. */
  record Lmtp(HostPort host) implements NextHop {}

  /** {@code mx}: the MX hosts of the recipient's domain. */
  record Mx() implements NextHop {}

  /** {@code discard}: counted as delivered, thrown away. */
  record Discard() implements NextHop {}
}
