package org.quorumail.smtp;

/**
 * The limits of a next hop for a message, as its last replies to EHLO gave them.
 *
 * @param maxSize octets, RFC 1870; MAX_VALUE without a limit
 * @param smtpUtf8 whether it takes internationalized mail, RFC 6531
 */
public record NextHopLimits(long maxSize, boolean smtpUtf8) {
  /** The limits of two hosts of one destination together: mail may go to either. */
  public NextHopLimits or(NextHopLimits other) {
    return new NextHopLimits(Math.max(maxSize, other.maxSize), smtpUtf8 || other.smtpUtf8);
  }
}
