package org.quorumail.smtp;

import java.util.Optional;
import org.quorumail.config.Idna;
import org.quorumail.config.LocalPart;
import org.quorumail.mail.MailAddress;

/**
 * A parser of one path of MAIL or RCPT, angle brackets included: RFC 5321 §4.1.2 with the additions
 * of RFC 6531 §3.3. A local part may be longer than the 64 octets of §4.5.3.1.1, which asks for no
 * limit where that is possible: return paths that hold another address (VERP, SRS) are.
 */
public final class PathParser {
  private static final int MAX_DOMAIN = 255; // §4.5.3.1.2
  private static final int MAX_PATH = 256; // §4.5.3.1.3, brackets included
  private static final String PATH_TOO_LONG = "a path has at most 256 octets";
  private static final int MAX_LABEL = 63; // RFC 1035 §2.3.4
  private static final String ATEXT_SPECIALS = "!#$%&'*+-/=?^_`{|}~";

  private final String text;
  private int at;

  private PathParser(String text) {
    this.text = text;
  }

  /** The result of parsing a path. */
  public sealed interface Parsed {
    /** The null path {@code <>}, which is legal only in MAIL. */
    record Null(String rest) implements Parsed {}

    /**
     * A mailbox, with the least quoting; a source route before it is dropped (appendix F.2).
     *
     * @param rest the text after the closing bracket
     */
    record Mailbox(MailAddress address, String rest) implements Parsed {}

    /** A malformed path; the reason is a phrase for a reply. */
    record Malformed(String reason) implements Parsed {}

    /** A path whose local part no mailbox can have. */
    record IllegalLocalPart() implements Parsed {}

    /** A path with octets above 127 that are not UTF-8, the only encoding that RFC 6531 allows. */
    record NotUtf8() implements Parsed {}
  }

  /**
   * Parses a path at the start of a text of one character per octet. UTF-8 is decoded; where
   * SMTPUTF8 does not apply, the caller refuses an address that is not {@link MailAddress#ascii}.
   * The domain is returned in its ASCII form.
   */
  public static Parsed parse(String text) {
    PathParser octets = new PathParser(text);
    int close = octets.closingBracket();
    if (close < 0 || Utf8Text.isAscii(text.substring(0, close))) return octets.path();
    if (close + 1 > MAX_PATH) return new Parsed.Malformed(PATH_TOO_LONG);
    Optional<String> path = Utf8Text.decode(text.substring(0, close + 1));
    if (path.isEmpty()) return new Parsed.NotUtf8();
    return new PathParser(path.get() + text.substring(close + 1)).path();
  }

  /** Whether the text is a domain name of RFC 5321 §4.1.2; underscores are accepted too. */
  public static boolean isDomain(String text) {
    PathParser syntax = new PathParser(text);
    return Utf8Text.isAscii(text) && syntax.domainName() && syntax.at == text.length();
  }

  /** Whether the text is an address literal of RFC 5321 §4.1.3, brackets included. */
  public static boolean isAddressLiteral(String text) {
    return AddressLiteral.isLegal(text);
  }

  private Parsed path() {
    if (!take('<')) return new Parsed.Malformed("a path stands in angle brackets");
    if (take('>')) return new Parsed.Null(rest());
    int close = closingBracket();
    if (close < 0) return new Parsed.Malformed("the angle bracket is not closed");
    if (close + 1 > MAX_PATH) return new Parsed.Malformed(PATH_TOO_LONG);
    if (peek() == '@' && !sourceRoute()) return new Parsed.Malformed("bad source route");
    return mailbox(close);
  }

  private Parsed mailbox(int close) {
    int start = at;
    boolean legal = peek() == '"' ? quotedString() : dotString();
    if (!legal || (peek() != '@' && peek() != '>')) return badLocalPart(start, close);
    String local = LocalPart.minimallyQuoted(text.substring(start, at));
    if (take('>')) { // §4.5.1: the only mailbox without a domain
      return local.equalsIgnoreCase("postmaster")
          ? new Parsed.Mailbox(new MailAddress(local, ""), rest())
          : new Parsed.Malformed("a mailbox has a domain");
    }
    take('@');
    int domainStart = at;
    if (!domain()) return new Parsed.Malformed("bad domain");
    String domain = text.substring(domainStart, at);
    if (domain.endsWith(".")) domain = domain.substring(0, domain.length() - 1);
    if (!take('>')) return new Parsed.Malformed("bad domain");
    if (Utf8Text.isAscii(domain)) return new Parsed.Mailbox(new MailAddress(local, domain), rest());
    return Idna.toAscii(domain)
        .filter(PathParser::isDomain)
        .<Parsed>map(ascii -> new Parsed.Mailbox(new MailAddress(local, ascii), rest()))
        .orElse(new Parsed.Malformed("bad domain"));
  }

  /** Distinguishes a malformed path from a well-formed one whose mailbox cannot exist. */
  private Parsed badLocalPart(int start, int close) {
    String inside = text.substring(start, close);
    int sign = inside.indexOf('@');
    boolean structured =
        sign > 0 && sign == inside.lastIndexOf('@') && isDomain(inside.substring(sign + 1));
    for (int i = 0; i < inside.length(); i++) {
      char c = inside.charAt(i);
      if (c < ' ' || c > '~' || "<>\"\\".indexOf(c) >= 0) structured = false;
    }
    return structured ? new Parsed.IllegalLocalPart() : new Parsed.Malformed("bad local part");
  }

  /** Finds the bracket that ends the path; a bracket in a quoted string does not. */
  private int closingBracket() {
    boolean quoted = false;
    for (int i = at; i < text.length(); i++) {
      char c = text.charAt(i);
      if (quoted && c == '\\') i++;
      else if (c == '"') quoted = !quoted;
      else if (c == '>' && !quoted) return i;
    }
    return -1;
  }

  /** Skips {@code @a,@b:}, as §4.1.1.3 advises. */
  private boolean sourceRoute() {
    do {
      if (!take('@') || !domain()) return false;
    } while (take(','));
    return take(':');
  }

  /**
   * Accepts more than §4.1.2: a dot may stand beside another, or at the start or the end, since
   * large providers have given such addresses to their customers.
   */
  private boolean dotString() {
    boolean onlyDots = true;
    do {
      int start = at;
      while (at < text.length() && isAtext(text.codePointAt(at))) next();
      onlyDots &= at == start;
    } while (take('.'));
    return !onlyDots;
  }

  private boolean quotedString() {
    take('"');
    while (at < text.length()) {
      int c = next();
      if (c == '"') return true;
      if (c == '\\') {
        if (at == text.length()) return false;
        c = next();
      }
      boolean printable = c >= ' ' && c <= '~';
      if (!printable && !Utf8Text.isAllowedInLocalPart(c)) return false;
    }
    return false;
  }

  private boolean domain() {
    if (peek() != '[') return domainName();
    int end = text.indexOf(']', at);
    if (end < 0 || !AddressLiteral.isLegal(text.substring(at, end + 1))) return false;
    at = end + 1;
    return true;
  }

  /** Accepts labels of letters, digits and hyphens; a final dot does not change the name. */
  private boolean domainName() {
    int start = at;
    do {
      int label = at;
      while (at < text.length() && isDomainCharacter(text.charAt(at))) at++;
      int length = at - label;
      if (length == 0) return label > start; // the final dot
      boolean hyphenAtEdge = text.charAt(label) == '-' || text.charAt(at - 1) == '-';
      if (length > MAX_LABEL || hyphenAtEdge) return false;
    } while (take('.'));
    return at - start <= MAX_DOMAIN;
  }

  private static boolean isDomainCharacter(char c) {
    return isAlphanumeric(c) || c == '-' || c == '_' || c > 0x9F;
  }

  private static boolean isAtext(int c) {
    return isAlphanumeric(c) || ATEXT_SPECIALS.indexOf(c) >= 0 || Utf8Text.isAllowedInLocalPart(c);
  }

  private static boolean isAlphanumeric(int c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  }

  /** Consumes one character, as a code point. */
  private int next() {
    int point = text.codePointAt(at);
    at += Character.charCount(point);
    return point;
  }

  private char peek() {
    return at < text.length() ? text.charAt(at) : '\0';
  }

  private boolean take(char c) {
    if (peek() != c || at >= text.length()) return false;
    at++;
    return true;
  }

  private String rest() {
    return text.substring(at);
  }
}
