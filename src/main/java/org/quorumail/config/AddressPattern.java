package org.quorumail.config;

import java.util.Locale;

/**
 * One or many addresses as an operator writes them in a list, a table, an option: {@code
 * name@domain}, {@code domain} or {@code @domain} (all of the domain), {@code *.domain} or {@code
 * .domain} (all of its subdomains). The domain may be in Unicode; it is kept in its ASCII form. An
 * entry that no address of a message can match is refused.
 *
 * @param localPart as written but with the least quoting ({@link LocalPart#minimallyQuoted}), for
 *     {@link Kind#MAILBOX}; else empty
 */
public record AddressPattern(Kind kind, String localPart, String domain) {
  /** The addresses that a pattern matches. */
  public enum Kind {
    MAILBOX,
    DOMAIN,
    SUBDOMAINS
  }

  private static final String SPECIALS = "<>()[],;:\\\"";
  private static final String IPV6_TAG = "ipv6:";

  /**
   * Reads a pattern in any of its forms.
   *
   * @throws IllegalArgumentException with the fault and what to write instead
   */
  public static AddressPattern parse(String text) {
    String entry = text.strip();
    if (entry.indexOf('@') > 0) return mailbox(entry);
    if (entry.startsWith("@"))
      return new AddressPattern(Kind.DOMAIN, "", domain(entry.substring(1)));
    if (entry.startsWith("*.") || entry.startsWith(".")) {
      String parent = entry.substring(entry.indexOf('.') + 1);
      return new AddressPattern(Kind.SUBDOMAINS, "", HostName.validate(parent));
    }
    if (entry.indexOf('.') < 0 && entry.matches("[\\w-]+")) {
      throw new IllegalArgumentException(
          "\"" + text + "\" has no dot: write \"@" + entry + "\" for a domain, or name@domain");
    }
    try {
      return new AddressPattern(Kind.DOMAIN, "", domain(entry));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "\"" + text + "\" is neither an address nor a domain nor *.domain", e);
    }
  }

  /**
   * Reads one address {@code name@domain}.
   *
   * @throws IllegalArgumentException with the fault and what to write instead
   */
  public static AddressPattern mailbox(String text) {
    String entry = text.strip();
    int at = entry.lastIndexOf('@');
    String local = at < 0 ? "" : entry.substring(0, at);
    if (local.startsWith("\"") && !LocalPart.isQuotedString(local)) {
      throw new IllegalArgumentException(
          "\"" + text + "\": a quoted name ends with a quote, and those inside are escaped");
    }
    if (local.equals("*")) {
      throw new IllegalArgumentException(
          "\"" + text + "\": write \"" + entry.substring(1) + "\" for all addresses of a domain");
    }
    if (!isLocalPart(local)) {
      throw new IllegalArgumentException("not a mail address: \"" + text + "\"");
    }
    String name = LocalPart.minimallyQuoted(local);
    return new AddressPattern(Kind.MAILBOX, name, domain(entry.substring(at + 1)));
  }

  /**
   * Reads the domain of an address: a name, in its ASCII form, or an address in brackets.
   *
   * @throws IllegalArgumentException when the text is neither
   */
  public static String domain(String text) {
    String entry = text.strip();
    if (!entry.startsWith("[")) return HostName.validate(entry);
    String literal = entry.toLowerCase(Locale.ROOT);
    if (!literal.endsWith("]"))
      throw new IllegalArgumentException("a bracket is not closed: " + text);
    String inside = literal.substring(1, literal.length() - 1);
    boolean ipv6 = inside.startsWith(IPV6_TAG);
    IpLiteral.parse(ipv6 ? inside.substring(IPV6_TAG.length()) : inside);
    return literal;
  }

  /** The text {@code name@domain} or {@code @domain}; case of the name as written. */
  @Override
  public String toString() {
    return localPart + (kind == Kind.SUBDOMAINS ? "*." : "@") + domain;
  }

  /**
   * The key that the pattern is looked up by: for a mailbox the same for all ways to write it, in
   * lower case.
   */
  public String lookupKey() {
    String prefix = kind == Kind.SUBDOMAINS ? "*." : "@";
    return LocalPart.lookupKey(localPart) + prefix + domain;
  }

  /** Dots may be anywhere, as real addresses have them; a quoted string is taken as it is. */
  private static boolean isLocalPart(String text) {
    if (text.isEmpty()) return false;
    boolean quoted = text.length() > 2 && LocalPart.isQuotedString(text);
    for (int c : text.codePoints().toArray()) {
      if (Character.isISOControl(c)) return false;
      boolean blank = Character.isWhitespace(c) || Character.isSpaceChar(c);
      if (!quoted && (blank || c == '@' || SPECIALS.indexOf(c) >= 0)) return false;
    }
    return true;
  }
}
