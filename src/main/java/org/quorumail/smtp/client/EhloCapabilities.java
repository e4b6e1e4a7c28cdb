package org.quorumail.smtp.client;

import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.quorumail.smtp.Reply;

/** The extensions that a server offers in its reply to EHLO, RFC 5321 §4.1.1.1. Immutable. */
final class EhloCapabilities {
  static final EhloCapabilities NONE = new EhloCapabilities(Map.of());

  private static final int MAX_DIGITS = 18; // fits a long

  private final Map<String, String> keywords; // in upper case, with their parameters

  private EhloCapabilities(Map<String, String> keywords) {
    this.keywords = keywords;
  }

  /** Reads the lines after the first; {@link Reply#MAX_LINES} bounds their number. */
  static EhloCapabilities parse(Reply hello) {
    Map<String, String> keywords = new HashMap<>();
    List<String> lines = hello.lines();
    for (String line : lines.subList(1, lines.size())) {
      String[] words = line.strip().split(" +", 2);
      keywords.putIfAbsent(
          words[0].toUpperCase(Locale.ROOT), words.length > 1 ? words[1].strip() : "");
    }
    return new EhloCapabilities(keywords);
  }

  boolean supports(String keyword) {
    return keywords.containsKey(keyword);
  }

  /** The names of the SASL mechanisms, in upper case, in the server's order (RFC 4954 §3). */
  Set<String> authMechanisms() {
    Set<String> names = new LinkedHashSet<>();
    for (String name : keywords.getOrDefault("AUTH", "").toUpperCase(Locale.ROOT).split(" +")) {
      if (!name.isEmpty()) names.add(name);
    }
    return names;
  }

  /** The most octets of a message, RFC 1870 §4; MAX_VALUE without a limit. */
  long maxSize() {
    long size = number(keywords.getOrDefault("SIZE", ""));
    return size == 0 ? Long.MAX_VALUE : size;
  }

  /** The most recipients of one transaction, RFC 9422; MAX_VALUE without a limit. */
  int maxRecipients() {
    return limit("RCPTMAX");
  }

  /** The most transactions of one connection, RFC 9422; MAX_VALUE without a limit. */
  int maxTransactions() {
    return limit("MAILMAX");
  }

  /** The most recipient domains of one transaction, RFC 9422; MAX_VALUE without a limit. */
  int maxRecipientDomains() {
    return limit("RCPTDOMAINMAX");
  }

  private int limit(String name) {
    for (String item : keywords.getOrDefault("LIMITS", "").split(" +")) {
      int sign = item.indexOf('=');
      if (sign < 0 || !item.substring(0, sign).equalsIgnoreCase(name)) continue;
      long value = number(item.substring(sign + 1));
      if (value > 0) return (int) Math.min(value, Integer.MAX_VALUE);
    }
    return Integer.MAX_VALUE;
  }

  /** Reads a number; 0 when the text is not one. */
  private static long number(String text) {
    if (text.isEmpty() || text.length() > MAX_DIGITS) return 0;
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) < '0' || text.charAt(i) > '9') return 0;
    }
    return Long.parseLong(text);
  }
}
