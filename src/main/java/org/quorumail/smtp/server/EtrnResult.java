package org.quorumail.smtp.server;

/** The result of ETRN (RFC 1985), which asks for the mail that waits for a domain. */
public sealed interface EtrnResult {
  /**
   * The messages of the domain are due now.
   *
   * @param messages the number of messages that wait for the domain
   * @param more whether more messages wait than were counted
   */
  record Started(long messages, boolean more) implements EtrnResult {}

  record NothingWaiting() implements EtrnResult {}

  /** The queue cannot run now: too many runs are in progress, or the domain is suspended. */
  record Unavailable() implements EtrnResult {}
}
