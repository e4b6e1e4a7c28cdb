package org.quorumail.auth;

import java.util.Locale;
import java.util.Set;
import org.quorumail.mail.MailAddress;

/**
 * Somebody who has proved who he is.
 *
 * @param name as {@link SaslPrep#name} makes it
 * @param senderPatterns the addresses that he may send from, in lower case: {@code a@example.org}, {@code
 *     @example.org} (everybody there) or {@code *} (anybody); his own name, where it is an address,
 *     need not be among them
 */
public record User(String name, Set<String> senderPatterns) {
  public User {
    senderPatterns = Set.copyOf(senderPatterns);
  }

  /** Whether this is an address of his, RFC 6409 §6.1. Case is not told apart. */
  public boolean maySendAs(MailAddress sender) {
    String address = sender.toString().toLowerCase(Locale.ROOT);
    return address.equals(name)
        || senderPatterns.contains(address)
        || senderPatterns.contains("@" + sender.domain())
        || senderPatterns.contains("*");
  }

  /** Whether the text has one of the three forms of a sender. */
  static boolean isSenderPattern(String text) {
    if (text.equals("*")) return true;
    int at = text.lastIndexOf('@');
    return at >= 0 && at < text.length() - 1 && !SaslPrep.hasBlank(text) && text.indexOf(',') < 0;
  }
}
