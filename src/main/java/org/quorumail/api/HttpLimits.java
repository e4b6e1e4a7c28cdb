package org.quorumail.api;

import java.time.Duration;

/**
 * The limits of the HTTP server.
 *
 * @param connections open connections
 * @param connectionsPerClient open connections of one address, or of one /64 network of IPv6
 * @param requests requests in progress, without probes and readers of events
 * @param requestTimeout the time for a whole request from its first octet, and for its answer
 * @param idleTimeout the time between two requests
 */
record HttpLimits(
    int connections,
    int connectionsPerClient,
    int requests,
    Duration requestTimeout,
    Duration idleTimeout) {
  static final HttpLimits DEFAULT =
      new HttpLimits(1_024, 128, 64, Duration.ofSeconds(20), Duration.ofSeconds(60));
}
