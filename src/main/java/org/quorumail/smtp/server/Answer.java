package org.quorumail.smtp.server;

import org.quorumail.smtp.Reply;

/** What a command came to: what is said, and what happens after it was said. */
record Answer(Reply reply, Next next) {
  enum Next {
    GO_ON,
    CLOSE,
    START_TLS
  }

  static Answer say(int code, String status, String text) {
    return new Answer(Reply.of(code, status, text), Next.GO_ON);
  }

  static Answer say(Reply reply) {
    return new Answer(reply, Next.GO_ON);
  }

  /** What a check decided; 421 ends the session. */
  static Answer refuse(Reply reply) {
    return new Answer(reply, reply.code() == 421 ? Next.CLOSE : Next.GO_ON);
  }

  static Answer close(int code, String status, String text) {
    return new Answer(Reply.of(code, status, text), Next.CLOSE);
  }

  static Answer close(Reply reply) {
    return new Answer(reply, Next.CLOSE);
  }
}
