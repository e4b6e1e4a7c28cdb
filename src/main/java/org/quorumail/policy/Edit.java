package org.quorumail.policy;

import java.util.List;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.ReversePath;

/**
 * One change of a message or its envelope. In a value each character is one octet. Line ends inside
 * a value become folds, so no value can begin another field.
 */
public sealed interface Edit {
  /** A change of the header or the body. */
  sealed interface ContentEdit extends Edit {}

  /**
   * A new field before the field at this index.
   *
   * @param index 0: in front of the message, which keeps every received octet
   */
  record InsertHeader(int index, String name, String value) implements ContentEdit {}

  /** A new field after all others. */
  record AppendHeader(String name, String value) implements ContentEdit {}

  /**
   * A new value for a field.
   *
   * @param occurrence among the fields with this name, from 1; beyond the last one, the field is
   *     appended
   * @param value empty: the field is removed
   */
  record ChangeHeader(String name, int occurrence, String value) implements ContentEdit {}

  /** A new body. It stays readable until the transaction is reset. */
  record ReplaceBody(MessageContent body) implements ContentEdit {}

  record ChangeSender(ReversePath sender) implements Edit {}

  /** The targets of a local address. Applied after all other changes of recipients. */
  record RewriteRecipient(MailAddress recipient, List<MailAddress> to) implements Edit {
    public RewriteRecipient {
      to = List.copyOf(to);
    }
  }

  record AddRecipient(MailAddress recipient) implements Edit {}

  record RemoveRecipient(MailAddress recipient) implements Edit {}
}
