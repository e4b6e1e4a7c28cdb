package org.quorumail.smtp.server;

/**
 * The limits of a listener and of each session; zero messages means no limit.
 *
 * @param hops Received fields at which a message is taken to loop
 */
public record ListenerLimits(
    int connections,
    int connectionsPerIp,
    int recipients,
    int messages,
    int errors,
    int line,
    int hops) {
  /** RFC 5321 §6.3 suggests 100; honest mail has fewer than ten. */
  static final int DEFAULT_HOPS = 30;
}
