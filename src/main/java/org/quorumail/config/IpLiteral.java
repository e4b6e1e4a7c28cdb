package org.quorumail.config;

import java.net.InetAddress;
import java.util.regex.Pattern;

/**
 * IP addresses as an operator writes them: four decimal numbers or an IPv6 address. The other forms
 * that the C library reads ({@code 10}, {@code 127.1}, {@code 010.0.0.1}, {@code 0x7f000001}) are
 * refused, since few readers know which address they mean.
 */
public final class IpLiteral {
  private static final Pattern IPV4 = Pattern.compile("(0|[1-9]\\d{0,2})(\\.(0|[1-9]\\d{0,2})){3}");
  private static final Pattern IPV6 = Pattern.compile("[0-9a-fA-F.]*:[0-9a-fA-F:.]*(%[\\w.-]+)?");

  private IpLiteral() {}

  /** Whether the host of a URL is this one: {@code localhost} or a loopback address. */
  public static boolean isLoopback(String host) {
    if (host.equalsIgnoreCase("localhost")) return true;
    boolean brackets = host.startsWith("[") && host.endsWith("]");
    try {
      return parse(brackets ? host.substring(1, host.length() - 1) : host).isLoopbackAddress();
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  /**
   * Reads an address without brackets; nothing is looked up.
   *
   * @throws IllegalArgumentException when the text is no address
   */
  public static InetAddress parse(String text) {
    if (IPV4.matcher(text).matches() || IPV6.matcher(text).matches()) {
      return InetAddress.ofLiteral(text); // refuses numbers that are too large
    }
    throw new IllegalArgumentException("not an IP address: \"" + text + "\"");
  }
}
