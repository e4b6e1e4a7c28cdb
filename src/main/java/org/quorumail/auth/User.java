package org.quorumail.auth;

import java.util.Set;
import org.quorumail.mail.MailAddress;

/**
 * An authenticated user.
 *
 * @param name as {@link SaslPrep#name} makes it
 * @param senderPatterns the addresses that the user may send from, as {@link
 *     org.quorumail.config.AddressPattern#lookupKey} makes them: {@code a@example.org},
 *     {@code @example.org} (all of the domain) or {@code *} (any); a name that is an address need
 *     not be among them
 */
public record User(String name, Set<String> senderPatterns) {
  public User {
    senderPatterns = Set.copyOf(senderPatterns);
    assert senderPatterns.stream().allMatch(User::isSenderPattern) : senderPatterns;
  }

  /** Returns whether the user may send from an address, RFC 6409 §6.1. Case does not count. */
  public boolean maySendAs(MailAddress sender) {
    String address = sender.lookupKey();
    return address.equals(MailAddress.of(name).lookupKey())
        || senderPatterns.contains(address)
        || senderPatterns.contains("@" + sender.domain())
        || senderPatterns.contains("*");
  }

  /** Returns whether the text has one of the three forms of a sender. */
  static boolean isSenderPattern(String text) {
    if (text.equals("*")) return true;
    int at = text.lastIndexOf('@');
    return at >= 0 && at < text.length() - 1 && !SaslPrep.hasBlank(text) && text.indexOf(',') < 0;
  }
}
