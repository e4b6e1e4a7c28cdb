package org.quorumail.policy.milter;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;

/**
 * What was agreed with a milter (SMFIC_OPTNEG): we offer all that we can, the milter takes what it
 * needs.
 *
 * @param actions bits: changes that it may ask for
 * @param steps bits: steps of which it does not want to hear or will not answer, and dialects
 */
record NegotiatedOptions(int actions, int steps) {
  static final NegotiatedOptions NONE = new NegotiatedOptions(0, 0);

  /**
   * Agrees on a new connection.
   *
   * @throws MilterException when the milter speaks another version or wants what was not offered
   */
  static NegotiatedOptions negotiate(MilterConnection open, Duration timeout) throws IOException {
    ByteBuffer offer = ByteBuffer.allocate(12);
    offer
        .putInt(MilterProtocol.VERSION)
        .putInt(MilterProtocol.ACTIONS)
        .putInt(MilterProtocol.STEPS);
    open.send(MilterProtocol.OPTNEG, offer.array());
    MilterPacket answer = open.receive(timeout);
    if (answer.command() != MilterProtocol.OPTNEG) throw answer.malformed();
    int version = answer.number();
    if (version < MilterProtocol.OLDEST_VERSION || version > MilterProtocol.VERSION) {
      throw new MilterException("it speaks version " + version + " of the protocol");
    }
    int actions = answer.number();
    int steps = answer.number();
    if ((actions & ~MilterProtocol.ACTIONS) != 0 || (steps & ~MilterProtocol.STEPS) != 0) {
      throw new MilterException("it wants what was not offered");
    }
    return new NegotiatedOptions(actions, steps);
  }

  boolean hasStep(int flag) {
    return (steps & flag) != 0;
  }

  /** Whether the milter is to hear of the command at all. */
  boolean expectsCommand(byte command) {
    return !hasStep(skipFlag(command));
  }

  /** Whether it says something to it. */
  boolean repliesTo(byte command) {
    return !hasStep(noReplyFlag(command));
  }

  private static int skipFlag(byte command) {
    return switch (command) {
      case MilterProtocol.CONNECT -> MilterProtocol.NO_CONNECT;
      case MilterProtocol.HELO -> MilterProtocol.NO_HELO;
      case MilterProtocol.MAIL -> MilterProtocol.NO_MAIL;
      case MilterProtocol.RCPT -> MilterProtocol.NO_RCPT;
      case MilterProtocol.DATA -> MilterProtocol.NO_DATA;
      case MilterProtocol.HEADER -> MilterProtocol.NO_HEADERS;
      case MilterProtocol.END_OF_HEADER -> MilterProtocol.NO_END_OF_HEADER;
      case MilterProtocol.BODY -> MilterProtocol.NO_BODY;
      default -> 0;
    };
  }

  private static int noReplyFlag(byte command) {
    return switch (command) {
      case MilterProtocol.CONNECT -> MilterProtocol.NO_REPLY_CONNECT;
      case MilterProtocol.HELO -> MilterProtocol.NO_REPLY_HELO;
      case MilterProtocol.MAIL -> MilterProtocol.NO_REPLY_MAIL;
      case MilterProtocol.RCPT -> MilterProtocol.NO_REPLY_RCPT;
      case MilterProtocol.DATA -> MilterProtocol.NO_REPLY_DATA;
      case MilterProtocol.HEADER -> MilterProtocol.NO_REPLY_HEADER;
      case MilterProtocol.END_OF_HEADER -> MilterProtocol.NO_REPLY_END_OF_HEADER;
      case MilterProtocol.BODY -> MilterProtocol.NO_REPLY_BODY;
      default -> 0;
    };
  }
}
