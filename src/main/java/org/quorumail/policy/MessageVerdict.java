package org.quorumail.policy;

import java.util.List;
import java.util.Optional;
import org.quorumail.smtp.Reply;

/** What the filters came to about a whole message. */
public sealed interface MessageVerdict {
  /**
   * Take it.
   *
   * @param content to be kept behind our Received field
   * @param envelopeEdits in the order in which they were made
   * @param holdReason why it is held, if it is
   */
  record Accept(MessageContent content, List<Edit> envelopeEdits, Optional<String> holdReason)
      implements MessageVerdict {
    public Accept {
      envelopeEdits = List.copyOf(envelopeEdits);
    }
  }

  record Refuse(Reply reply) implements MessageVerdict {}

  /** Say 250 and forget it. */
  record Discard(String reason) implements MessageVerdict {}
}
