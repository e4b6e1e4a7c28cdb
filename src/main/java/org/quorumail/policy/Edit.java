package org.quorumail.policy;

import java.util.List;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.ReversePath;

/**
 * One change of a message or its envelope. In values each character is one octet; line ends within
 * are made into folds, so that no value can begin another field.
 */
public sealed interface Edit {
  /** A change of the content behind the fields that are put in front of it. */
  sealed interface ContentEdit extends Edit {}

  /**
   * A field before the field at this place.
   *
   * @param index 0: in front of the message, which leaves the received octets as they are
   */
  record InsertHeader(int index, String name, String value) implements ContentEdit {}

  /** A field after all others. */
  record AppendHeader(String name, String value) implements ContentEdit {}

  /**
   * Another value for a field.
   *
   * @param occurrence of fields with this name, from 1; beyond the last one the field is appended
   * @param value empty: the field goes
   */
  record ChangeHeader(String name, int occurrence, String value) implements ContentEdit {}

  /** Another body. Readable until the transaction is reset. */
  record ReplaceBody(MessageContent body) implements ContentEdit {}

  record ChangeSender(ReversePath sender) implements Edit {}

  /** An address of ours stands for others; done after all other changes of recipients. */
  record RewriteRecipient(MailAddress recipient, List<MailAddress> to) implements Edit {
    public RewriteRecipient {
      to = List.copyOf(to);
    }
  }

  record AddRecipient(MailAddress recipient) implements Edit {}

  record RemoveRecipient(MailAddress recipient) implements Edit {}
}
