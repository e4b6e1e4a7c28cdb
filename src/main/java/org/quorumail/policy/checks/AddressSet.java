package org.quorumail.policy.checks;

import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.quorumail.mail.MailAddress;

/**
 * Mail addresses: {@code name@example.org}, {@code example.org} (everybody there) or {@code
 * *.example.org} (everybody in its subdomains). Compared without case.
 */
final class AddressSet {
  private final Set<String> addresses = new HashSet<>();
  private final Set<String> domains = new HashSet<>();
  private final Set<String> subdomainsOf = new HashSet<>();

  /**
   * @throws IOException with one sentence that names the key when an entry is none of these
   */
  AddressSet(String key, List<String> entries) throws IOException {
    for (String entry : entries) {
      String text = entry.toLowerCase(Locale.ROOT);
      if (text.matches("[^@\\s]+@[^@\\s]+")) addresses.add(text);
      else if (text.matches("\\*?\\.[a-z0-9._-]+")) subdomainsOf.add(text.replaceFirst("^\\*", ""));
      else if (text.matches("@?[a-z0-9._-]+")) domains.add(text.replaceFirst("^@", ""));
      else {
        throw new IOException(
            key + ": \"" + entry + "\" is neither an address nor a domain nor *.domain");
      }
    }
  }

  boolean isEmpty() {
    return addresses.isEmpty() && domains.isEmpty() && subdomainsOf.isEmpty();
  }

  boolean contains(MailAddress address) {
    if (isEmpty()) return false;
    String domain = address.domain();
    if (domains.contains(domain)) return true;
    if (!addresses.isEmpty() && addresses.contains(address.toString().toLowerCase(Locale.ROOT)))
      return true;
    if (subdomainsOf.isEmpty()) return false;
    for (int dot = domain.indexOf('.'); dot >= 0; dot = domain.indexOf('.', dot + 1)) {
      if (subdomainsOf.contains(domain.substring(dot))) return true;
    }
    return false;
  }
}
