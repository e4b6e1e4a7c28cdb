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
record Terms(int actions, int steps) {
  static final Terms NONE = new Terms(0, 0);

  /**
   * Agrees on a new connection.
   *
   * @throws MilterException when the milter speaks another version or wants what was not offered
   */
  static Terms negotiated(MilterConnection open, Duration timeout) throws IOException {
    ByteBuffer offer = ByteBuffer.allocate(12);
    offer.putInt(Protocol.VERSION).putInt(Protocol.ACTIONS).putInt(Protocol.STEPS);
    open.send(Protocol.OPTNEG, offer.array());
    Packet answer = open.receive(timeout);
    if (answer.command() != Protocol.OPTNEG) throw answer.malformed();
    int version = answer.number();
    if (version < Protocol.OLDEST_VERSION || version > Protocol.VERSION) {
      throw new MilterException("it speaks version " + version + " of the protocol");
    }
    int actions = answer.number();
    int steps = answer.number();
    if ((actions & ~Protocol.ACTIONS) != 0 || (steps & ~Protocol.STEPS) != 0) {
      throw new MilterException("it wants what was not offered");
    }
    return new Terms(actions, steps);
  }

  boolean has(int flag) {
    return (steps & flag) != 0;
  }

  /** Whether the milter is to hear of the command at all. */
  boolean wants(byte command) {
    return !has(unwanted(command));
  }

  /** Whether it says something to it. */
  boolean answers(byte command) {
    return !has(unanswered(command));
  }

  private static int unwanted(byte command) {
    return switch (command) {
      case Protocol.CONNECT -> Protocol.NO_CONNECT;
      case Protocol.HELO -> Protocol.NO_HELO;
      case Protocol.MAIL -> Protocol.NO_MAIL;
      case Protocol.RCPT -> Protocol.NO_RCPT;
      case Protocol.DATA -> Protocol.NO_DATA;
      case Protocol.HEADER -> Protocol.NO_HEADERS;
      case Protocol.END_OF_HEADER -> Protocol.NO_END_OF_HEADER;
      case Protocol.BODY -> Protocol.NO_BODY;
      default -> 0;
    };
  }

  private static int unanswered(byte command) {
    return switch (command) {
      case Protocol.CONNECT -> Protocol.NO_REPLY_CONNECT;
      case Protocol.HELO -> Protocol.NO_REPLY_HELO;
      case Protocol.MAIL -> Protocol.NO_REPLY_MAIL;
      case Protocol.RCPT -> Protocol.NO_REPLY_RCPT;
      case Protocol.DATA -> Protocol.NO_REPLY_DATA;
      case Protocol.HEADER -> Protocol.NO_REPLY_HEADER;
      case Protocol.END_OF_HEADER -> Protocol.NO_REPLY_END_OF_HEADER;
      case Protocol.BODY -> Protocol.NO_REPLY_BODY;
      default -> 0;
    };
  }
}
