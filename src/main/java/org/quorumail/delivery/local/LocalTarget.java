package org.quorumail.delivery.local;

import java.util.function.BooleanSupplier;

/** A next hop on this machine. */
public sealed interface LocalTarget permits Maildir, Mbox, Pipe {
  /**
   * Delivers to one recipient. Blocks on files and programs: for platform threads.
   *
   * @param mayDeliver asked once, just before the step after which the recipient may have the
   *     message; false ends the delivery without it
   */
  LocalResult deliver(LocalMessage message, BooleanSupplier mayDeliver);

  /** The same target for mailboxes and programs of an account. */
  LocalTarget withAccount(MailboxAccount account);

  MailboxAccount account();
}
