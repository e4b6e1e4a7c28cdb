package org.quorumail.policy;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.MailAddress;
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
    Set<MailAddress> recipients = new LinkedHashSet<>(envelope.recipients());
    for (Edit edit : edits) {
      switch (edit) {
        case Edit.ChangeSender change -> sender = change.sender();
        case Edit.AddRecipient add -> recipients.add(add.recipient());
        case Edit.RemoveRecipient remove ->
            recipients.removeIf(r -> r.toString().equalsIgnoreCase(remove.recipient().toString()));
        case Edit.RewriteRecipient later -> {}
        case Edit.OfContent content -> {}
      }
    }
    Set<MailAddress> rewritten = new LinkedHashSet<>();
    for (MailAddress recipient : recipients) rewritten.addAll(rewrite(recipient, edits));
    return new Envelope(sender, List.copyOf(rewritten), envelope.body());
  }

  private static List<MailAddress> rewrite(MailAddress recipient, List<Edit> edits) {
    for (Edit edit : edits) {
      if (edit instanceof Edit.RewriteRecipient r && r.recipient().equals(recipient)) return r.to();
    }
    return List.of(recipient);
  }
}
