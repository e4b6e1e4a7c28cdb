package org.quorumail.policy.milter;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;

/**
 * The options negotiated with a milter (SMFIC_OPTNEG): this side offers all that it supports, and
 * the milter chooses.
 *
 * @param actions bits of the modifications that the milter may request
 * @param steps bits of the commands that the milter skips or does not answer, and of dialects
 */
record NegotiatedOptions(int actions, int steps) {
  static final NegotiatedOptions NONE = new NegotiatedOptions(0, 0);

  /**
   * Negotiates on a new connection.
   *
   * @throws MilterException when the milter speaks another version or chooses more than was offered
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
      throw new MilterException("it chooses options that were not offered");
    }
    return new NegotiatedOptions(actions, steps);
  }

  boolean hasStep(int flag) {
    return (steps & flag) != 0;
  }

  /** Returns whether the milter wants to get the command at all. */
  boolean expectsCommand(byte command) {
    return !hasStep(skipFlag(command));
  }

  /** Returns whether the milter answers the command. */
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
