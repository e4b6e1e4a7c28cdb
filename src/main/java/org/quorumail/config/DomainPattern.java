package org.quorumail.config;

import java.util.Locale;

/** {@code "example.org"}, {@code "*.example.org"} (any subdomain, not itself) or {@code "*"}. */
public record DomainPattern(String text) {
  public DomainPattern {
    text = text.toLowerCase(Locale.ROOT);
  }

  /** The domain is expected in lower case. */
  public boolean matches(String domain) {
    if (text.equals("*")) return true;
    if (text.startsWith("*.")) return domain.endsWith(text.substring(1));
    return domain.equals(text);
  }

  @Override
  public String toString() {
    return text;
  }
}
