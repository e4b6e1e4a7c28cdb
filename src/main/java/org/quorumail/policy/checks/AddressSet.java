package org.quorumail.policy.checks;

import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.quorumail.config.AddressPattern;
import org.quorumail.mail.MailAddress;

/**
 * A set of mail addresses: {@code name@example.org}, {@code example.org} (all of the domain) or
 * {@code *.example.org} (all of its subdomains). Case does not count.
 */
final class AddressSet {
  private final Set<String> addresses = new HashSet<>();
  private final Set<String> domains = new HashSet<>();
  private final Set<String> subdomainsOf = new HashSet<>();

  private AddressSet() {}

  /**
   * @throws IOException with one sentence that names the place when an entry has none of the forms
   */
  static AddressSet parse(List<ListEntry> entries) throws IOException {
    AddressSet set = new AddressSet();
    for (ListEntry entry : entries) {
      try {
        set.add(AddressPattern.parse(entry.text()));
      } catch (IllegalArgumentException e) {
        throw new IOException(entry.place() + ": " + e.getMessage(), e);
      }
    }
    return set;
  }

  boolean contains(MailAddress address) {
    String domain = address.domain();
    if (domains.contains(domain)) return true;
    if (!addresses.isEmpty() && addresses.contains(address.lookupKey())) {
      return true;
    }
    if (subdomainsOf.isEmpty()) return false;
    for (int dot = domain.indexOf('.'); dot >= 0; dot = domain.indexOf('.', dot + 1)) {
      if (subdomainsOf.contains(domain.substring(dot))) return true;
    }
    return false;
  }

  private void add(AddressPattern pattern) {
    switch (pattern.kind()) {
      case MAILBOX -> addresses.add(pattern.lookupKey());
      case DOMAIN -> domains.add(pattern.domain());
      case SUBDOMAINS -> subdomainsOf.add("." + pattern.domain());
    }
  }
}
