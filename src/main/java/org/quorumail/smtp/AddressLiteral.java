package org.quorumail.smtp;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;

/**
 * The syntax of address literals, RFC 5321 §4.1.3: {@code [192.0.2.1]} and {@code
 * [IPv6:2001:db8::1]}.
 */
public final class AddressLiteral {
  private static final String IPV6 = "IPv6:";
  private static final int MAX_LENGTH = 2 + 5 + 45; // brackets, tag, the longest IPv6 text

  private AddressLiteral() {}

  /** Formats an address as the literal that a Received field shows. */
  public static String of(InetAddress address) {
    String text = address.getHostAddress();
    int zone = text.indexOf('%');
    if (zone >= 0) text = text.substring(0, zone);
    return address instanceof Inet6Address ? "[" + IPV6 + text + "]" : "[" + text + "]";
  }

  /** Whether the text is an address literal, brackets included. */
  public static boolean isLegal(String literal) {
    if (literal.length() > MAX_LENGTH || !literal.startsWith("[") || !literal.endsWith("]")) {
      return false;
    }
    String inside = literal.substring(1, literal.length() - 1);
    if (inside.regionMatches(true, 0, IPV6, 0, IPV6.length())) {
      return isIpv6(inside.substring(IPV6.length()));
    }
    return isIpv4(inside);
  }

  private static boolean isIpv4(String text) {
    String[] parts = text.split("\\.", -1);
    if (parts.length != 4) return false;
    for (String part : parts) {
      if (part.isEmpty() || part.length() > 3) return false;
      int value = 0;
      for (int i = 0; i < part.length(); i++) {
        int digit = part.charAt(i) - '0';
        if (digit < 0 || digit > 9) return false;
        value = value * 10 + digit;
      }
      if (value > 255) return false;
    }
    return true;
  }

  private static boolean isIpv6(String text) {
    if (text.indexOf(':') < 0) return false;
    for (int i = 0; i < text.length(); i++) {
      if ("0123456789abcdefABCDEF:.".indexOf(text.charAt(i)) < 0) return false;
    }
    try {
      return InetAddress.getByName(text) != null; // only hex, colons, dots: no name is looked up
    } catch (UnknownHostException e) {
      return false;
    }
  }
}
