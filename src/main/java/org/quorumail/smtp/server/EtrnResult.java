package org.quorumail.smtp.server;

/** What a client's wish to have its waiting mail sent (ETRN, RFC 1985) came to. */
public sealed interface EtrnResult {
  /**
   * @param messages that wait for the domain
   * @param more whether there are more than were counted
   */
  record Started(long messages, boolean more) implements EtrnResult {}

  record NothingWaiting() implements EtrnResult {}

  /** Not now: too many are under way, or an operator has suspended the domain. */
  record Unavailable() implements EtrnResult {}
}
