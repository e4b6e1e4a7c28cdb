package org.quorumail.config;

import java.util.Locale;

/**
 * A pattern of domains: {@code "example.org"}, {@code "*.example.org"} (any subdomain, not the
 * domain itself) or {@code "*"}.
 */
public record DomainPattern(String text) {
  public DomainPattern {
    text = text.toLowerCase(Locale.ROOT);
  }

  /** Reads a pattern as the configuration writes it; the exception says what is wrong. */
  public static DomainPattern parse(String text) {
    if (text.equals("*")) return new DomainPattern(text);
    boolean subdomains = text.startsWith("*.");
    String domain = HostName.validate(subdomains ? text.substring(2) : text);
    return new DomainPattern(subdomains ? "*." + domain : domain);
  }

  /** Reports whether a domain, in lower case, fits the pattern. */
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
