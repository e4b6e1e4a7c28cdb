package org.quorumail.policy;

import java.util.List;
import java.util.Optional;
import org.quorumail.smtp.Reply;

/** What the filters came to about a whole message. */
public sealed interface Judgement {
  /**
   * Take it.
   *
   * @param content to be kept behind our Received field
   * @param envelopeEdits in the order in which they were made
   * @param hold why it is held, if it is
   */
  record Take(MessageContent content, List<Edit> envelopeEdits, Optional<String> hold)
      implements Judgement {
    public Take {
      envelopeEdits = List.copyOf(envelopeEdits);
    }
  }

  record Refuse(Reply reply) implements Judgement {}

  /** Say 250 and forget it. */
  record Discard(String reason) implements Judgement {}
}
