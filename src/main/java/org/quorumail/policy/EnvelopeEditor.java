package org.quorumail.policy;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.Notify;
import org.quorumail.mail.Recipient;
import org.quorumail.mail.ReversePath;
import org.quorumail.smtp.OriginalRecipient;

/** Applies the edits of filters to an envelope. */
public final class EnvelopeEditor {
  private EnvelopeEditor() {}

  /**
   * Makes the envelope that will be stored. Filters add and remove recipients first; then local
   * addresses are replaced by their targets. No recipient is in it twice.
   *
   * @return an envelope without recipients when filters have removed all of them
   */
  public static Envelope apply(Envelope envelope, List<Edit> edits) {
    if (edits.isEmpty()) return envelope;
    ReversePath sender = envelope.reversePath();
    Map<MailAddress, Recipient> recipients = // by their canonical form
        new LinkedHashMap<>();
    for (Recipient recipient : envelope.recipients()) {
      recipients.put(recipient.address().canonical(), recipient);
    }
    for (Edit edit : edits) {
      switch (edit) {
        case Edit.ChangeSender change -> sender = change.sender();
        case Edit.AddRecipient add ->
            recipients.putIfAbsent(add.recipient().canonical(), new Recipient(add.recipient()));
        case Edit.RemoveRecipient remove ->
            recipients.keySet().removeIf(r -> r.lookupKey().equals(remove.recipient().lookupKey()));
        case Edit.RewriteRecipient later -> {}
        case Edit.ContentEdit content -> {}
      }
    }
    Map<MailAddress, Recipient> rewritten = new LinkedHashMap<>();
    List<Recipient> expanded = new ArrayList<>();
    for (Recipient recipient : recipients.values()) {
      Optional<List<MailAddress>> targets = targets(recipient.address(), edits);
      if (targets.isEmpty()) rewritten.putIfAbsent(recipient.address().canonical(), recipient);
      else forward(recipient, targets.get(), rewritten, expanded);
    }
    List<Recipient> all = new ArrayList<>(rewritten.values());
    all.addAll(expanded);
    return new Envelope(sender, all, envelope.options());
  }

  /**
   * RFC 3461 §5.2.7.2 and §5.2.7.3 (c): the targets take over what was asked for their alias, and
   * the original recipient is kept. Success reports about several targets would confuse a sender,
   * who gets one report that the address was expanded.
   */
  private static void forward(
      Recipient alias,
      List<MailAddress> targets,
      Map<MailAddress, Recipient> rewritten,
      List<Recipient> expanded) {
    boolean several = targets.size() > 1;
    Notify reports = several ? alias.notifyOn().withoutSuccess() : alias.notifyOn();
    String original = alias.originalRecipient();
    if (original.isEmpty()) original = OriginalRecipient.of(alias.address());
    for (MailAddress target : targets) {
      rewritten.putIfAbsent(target.canonical(), new Recipient(target, reports, original));
    }
    if (several && alias.notifyOn().success()) {
      expanded.add(new Recipient(alias.address(), alias.notifyOn(), original, true));
    }
  }

  private static Optional<List<MailAddress>> targets(MailAddress recipient, List<Edit> edits) {
    for (Edit edit : edits) {
      boolean fits = edit instanceof Edit.RewriteRecipient r && r.recipient().equals(recipient);
      if (fits) return Optional.of(((Edit.RewriteRecipient) edit).to());
    }
    return Optional.empty();
  }
}
