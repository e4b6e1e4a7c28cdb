package org.quorumail.smtp.server;

import org.quorumail.smtp.Reply;

/** What a command came to: what is said, and what happens after it was said. */
record CommandResult(Reply reply, NextStep next) {
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

  /** What a check decided; 421 ends the session. */
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
