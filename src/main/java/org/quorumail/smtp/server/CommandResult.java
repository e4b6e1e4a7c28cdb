package org.quorumail.smtp.server;

import org.quorumail.smtp.Reply;

/** The result of a command: the reply, and the session's next step after it. */
record CommandResult(Reply reply, NextStep next) {
  CommandResult {
    if (next == NextStep.START_TLS && reply.code() != 220) {
      throw new IllegalArgumentException("a handshake follows 220 only (RFC 3207)");
    }
  }

  enum NextStep {
    CONTINUE,
    CLOSE,
    START_TLS
  }

  static CommandResult of(int code, String status, String text) {
    return new CommandResult(Reply.of(code, status, text), NextStep.CONTINUE);
  }

  static CommandResult of(Reply reply) {
    return new CommandResult(reply, NextStep.CONTINUE);
  }

  /** The refusal of a filter; 421 ends the session. */
  static CommandResult ofRefusal(Reply reply) {
    return new CommandResult(reply, reply.code() == 421 ? NextStep.CLOSE : NextStep.CONTINUE);
  }

  static CommandResult closing(int code, String status, String text) {
    return new CommandResult(Reply.of(code, status, text), NextStep.CLOSE);
  }

  static CommandResult closing(Reply reply) {
    return new CommandResult(reply, NextStep.CLOSE);
  }
}
