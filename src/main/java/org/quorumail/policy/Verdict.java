package org.quorumail.policy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.quorumail.smtp.Reply;

/** The verdict of a filter at one stage. At connect and EHLO it holds for the whole session. */
public sealed interface Verdict {
  Verdict ACCEPT = new Accept();

  /** The next filter decides. */
  record Accept() implements Verdict {}

  /** The next filter decides, and the client is exempt from checks of reputation. */
  record Exempt(String reason) implements Verdict {}

  /**
   * The command fails for good.
   *
   * @param reply 5xx, or 421, which ends the session
   */
  record Reject(Reply reply) implements Verdict {
    public Reject {
      if (reply.code() < 500 && reply.code() != 421) {
        throw new IllegalArgumentException("a rejection is 5xx or 421, not " + reply.code());
      }
    }
  }

  /**
   * The command fails for now.
   *
   * @param reply 4xx; 421 ends the session
   */
  record Defer(Reply reply) implements Verdict {
    public Defer {
      if (!reply.transientFailure()) {
        throw new IllegalArgumentException("a deferral is 4xx, not " + reply.code());
      }
    }
  }

  /** The message gets 250 and is thrown away. Only an operator can order this; no default does. */
  record Discard(String reason) implements Verdict {}

  /** The message is accepted and held until an operator releases it. */
  record Quarantine(String reason, List<Edit> edits) implements Verdict {
    public Quarantine {
      edits = List.copyOf(edits);
    }

    public Quarantine(String reason) {
      this(reason, List.of());
    }
  }

  /** The message is accepted with changes. */
  record Change(List<Edit> edits) implements Verdict {
    public Change {
      edits = List.copyOf(edits);
    }
  }

  static Verdict reject(int code, String status, String text) {
    return new Reject(Reply.of(code, status, text));
  }

  static Verdict defer(int code, String status, String text) {
    return new Defer(Reply.of(code, status, text));
  }

  /** Rejects or defers by the reply's code. */
  static Verdict refusal(Reply reply) {
    return reply.transientFailure() ? new Defer(reply) : new Reject(reply);
  }

  /** Accepts and puts a header field in front of the message. */
  static Verdict addHeader(String name, String value) {
    String octets = new String(value.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
    return new Change(List.of(new Edit.InsertHeader(0, name, octets)));
  }
}
