package org.quorumail.policy;

import java.util.List;
import java.util.Optional;
import org.quorumail.smtp.Reply;

/** The decision of all filters about a whole message. */
public sealed interface MessageVerdict {
  /**
   * The message is accepted.
   *
   * @param content to be stored behind this host's Received field
   * @param envelopeEdits in the order in which the filters made them
   * @param holdReason present when the message is to be held
   */
  record Accept(MessageContent content, List<Edit> envelopeEdits, Optional<String> holdReason)
      implements MessageVerdict {
    public Accept {
      envelopeEdits = List.copyOf(envelopeEdits);
    }
  }

  /** The message is rejected or deferred, by the code of the reply. */
  record Refuse(Reply reply) implements MessageVerdict {}

  /** The message is accepted and thrown away. */
  record Discard(String reason) implements MessageVerdict {}
}
