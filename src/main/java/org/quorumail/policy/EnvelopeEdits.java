package org.quorumail.policy;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.Recipient;
import org.quorumail.mail.ReversePath;

/** Carries out what filters want done with an envelope. */
public final class EnvelopeEdits {
  private EnvelopeEdits() {}

  /**
   * The envelope as it will be kept. Filters' recipients come and go first; then addresses of ours
   * become what they stand for. Nobody is twice in it.
   *
   * @return without recipients when filters took all of them out
   */
  public static Envelope apply(Envelope envelope, List<Edit> edits) {
    if (edits.isEmpty()) return envelope;
    ReversePath sender = envelope.reversePath();
    Map<MailAddress, Recipient> recipients = new LinkedHashMap<>();
    for (Recipient recipient : envelope.recipients()) {
      recipients.put(recipient.address(), recipient);
    }
    for (Edit edit : edits) {
      switch (edit) {
        case Edit.ChangeSender change -> sender = change.sender();
        case Edit.AddRecipient add ->
            recipients.putIfAbsent(add.recipient(), new Recipient(add.recipient()));
        case Edit.RemoveRecipient remove ->
            recipients
                .keySet()
                .removeIf(r -> r.toString().equalsIgnoreCase(remove.recipient().toString()));
        case Edit.RewriteRecipient later -> {}
        case Edit.OfContent content -> {}
      }
    }
    Map<MailAddress, Recipient> rewritten = new LinkedHashMap<>();
    for (Recipient recipient : recipients.values()) {
      for (MailAddress address : rewrite(recipient.address(), edits)) {
        rewritten.putIfAbsent(address, recipient.withAddress(address));
      }
    }
    return new Envelope(sender, List.copyOf(rewritten.values()), envelope.options());
  }

  private static List<MailAddress> rewrite(MailAddress recipient, List<Edit> edits) {
    for (Edit edit : edits) {
      if (edit instanceof Edit.RewriteRecipient r && r.recipient().equals(recipient)) return r.to();
    }
    return List.of(recipient);
  }
}
