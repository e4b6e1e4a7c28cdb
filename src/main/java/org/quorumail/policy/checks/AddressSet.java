package org.quorumail.policy.checks;

import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
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
      if (!set.add(entry.text().toLowerCase(Locale.ROOT))) {
        throw new IOException(
            entry.place()
                + ": \""
                + entry.text()
                + "\" is neither an address nor a domain nor *.domain");
      }
    }
    return set;
  }

  boolean contains(MailAddress address) {
    String domain = address.domain();
    if (domains.contains(domain)) return true;
    if (!addresses.isEmpty() && addresses.contains(address.toString().toLowerCase(Locale.ROOT))) {
      return true;
    }
    if (subdomainsOf.isEmpty()) return false;
    for (int dot = domain.indexOf('.'); dot >= 0; dot = domain.indexOf('.', dot + 1)) {
      if (subdomainsOf.contains(domain.substring(dot))) return true;
    }
    return false;
  }

  /** Adds an entry in lower case; false when it has none of the forms. */
  private boolean add(String entry) {
    if (entry.matches("[^@\\s]+@[^@\\s]+")) {
      addresses.add(entry);
    } else if (entry.matches("\\*?\\.[a-z0-9._-]+")) {
      subdomainsOf.add(entry.substring(entry.indexOf('.')));
    } else if (entry.matches("@?[a-z0-9._-]+")) {
      domains.add(entry.startsWith("@") ? entry.substring(1) : entry);
    } else {
      return false;
    }
    return true;
  }
}
