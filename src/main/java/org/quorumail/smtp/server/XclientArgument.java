package org.quorumail.smtp.server;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.quorumail.smtp.AddressLiteral;
import org.quorumail.smtp.Escape;
import org.quorumail.smtp.Xtext;

/**
 * The argument of XCLIENT, by which a trusted host describes its own client, after Postfix's
 * XCLIENT_README. An empty attribute is one that the host does not know.
 */
sealed interface XclientArgument {
  /** The attributes, in the order in which EHLO lists them. */
  enum Attribute {
    NAME,
    ADDR,
    PORT,
    PROTO,
    HELO,
    LOGIN,
    DESTADDR,
    DESTPORT
  }

  int MAX_VALUE = 255;

  /**
   * @param values the decoded values, addresses without {@code IPV6:}; empty when unknown
   */
  record Valid(Map<Attribute, String> values) implements XclientArgument {
    /** The address; empty when absent. An unknown address is 0.0.0.0, which nothing trusts. */
    Optional<InetAddress> address() {
      String text = values.get(Attribute.ADDR);
      if (text == null) return Optional.empty();
      try {
        return Optional.of(InetAddress.getByName(text.isEmpty() ? "0.0.0.0" : text));
      } catch (UnknownHostException e) {
        throw new IllegalStateException("parse() accepts address literals only", e);
      }
    }

    /** The value of an attribute that is present and known. */
    Optional<String> value(Attribute attribute) {
      String value = values.get(attribute);
      return value == null || value.isEmpty() ? Optional.empty() : Optional.of(value);
    }

    boolean has(Attribute attribute) {
      return values.containsKey(attribute);
    }
  }

  record Malformed(String problem) implements XclientArgument {}

  static XclientArgument parse(String argument) {
    if (argument.isEmpty()) return new Malformed("Syntax: XCLIENT attribute=value ...");
    Map<Attribute, String> values = new EnumMap<>(Attribute.class);
    for (String pair : argument.split(" +")) {
      int sign = pair.indexOf('=');
      if (sign < 0) return new Malformed("Attribute without a value");
      Optional<Attribute> attribute = attribute(pair.substring(0, sign));
      if (attribute.isEmpty()) {
        return new Malformed("Unknown attribute " + Escape.quoted(pair.substring(0, sign), 20));
      }
      Optional<String> value = value(attribute.get(), pair.substring(sign + 1));
      if (value.isEmpty()) return new Malformed("Bad value of " + attribute.get());
      if (values.put(attribute.get(), value.get()) != null) {
        return new Malformed(attribute.get() + " is given twice");
      }
    }
    return new Valid(values);
  }

  /** The line of the reply to EHLO. */
  static String keyword() {
    List<String> names = new ArrayList<>(List.of("XCLIENT"));
    for (Attribute attribute : Attribute.values()) names.add(attribute.name());
    return String.join(" ", names);
  }

  private static Optional<Attribute> attribute(String name) {
    for (Attribute attribute : Attribute.values()) {
      if (attribute.name().equalsIgnoreCase(name)) return Optional.of(attribute);
    }
    return Optional.empty();
  }

  private static Optional<String> value(Attribute attribute, String xtext) {
    if (xtext.equalsIgnoreCase("[UNAVAILABLE]") || xtext.equalsIgnoreCase("[TEMPUNAVAIL]")) {
      return attribute == Attribute.PROTO ? Optional.empty() : Optional.of("");
    }
    Optional<String> decoded = Xtext.decode(xtext).filter(t -> !t.isEmpty());
    return switch (attribute) {
      case ADDR, DESTADDR -> decoded.flatMap(XclientArgument::literal);
      case PORT, DESTPORT -> decoded.filter(XclientArgument::isPort);
      case PROTO ->
          decoded
              .map(t -> t.toUpperCase(Locale.ROOT))
              .filter(t -> t.equals("SMTP") || t.equals("ESMTP"));
      case NAME -> decoded.filter(HostNameSyntax::isName);
      case HELO -> decoded.filter(HostNameSyntax::isClientName);
      case LOGIN -> decoded.filter(XclientArgument::isPrintable);
    };
  }

  private static Optional<String> literal(String text) {
    boolean v6 = text.regionMatches(true, 0, "IPV6:", 0, 5);
    if (!AddressLiteral.isLegal("[" + text + "]")) return Optional.empty();
    return Optional.of(v6 ? text.substring(5) : text);
  }

  private static boolean isPort(String text) {
    return text.matches("[0-9]{1,5}") && Integer.parseInt(text) <= 0xFFFF;
  }

  private static boolean isPrintable(String text) {
    return text.length() <= MAX_VALUE && text.chars().allMatch(c -> c > ' ' && c < 0x7F);
  }
}
