package org.quorumail.gossip.discovery;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The host name or address literal of a node to join, and its port; not resolved.
 *
 * @param host without brackets
 */
public record SeedAddress(String host, int port) {
  /** The port of gossip by default; memberlist's. */
  public static final int DEFAULT_PORT = 7946;

  private static final int MAX_PORT = 65_535;

  /** An IPv6 address in brackets or another host, then the port; groups 1, 2 and 3. */
  private static final Pattern FORM =
      Pattern.compile("(?:\\[([^\\[\\]]+)]|([^\\[\\]:]+))(?::(\\d{1,5}))?");

  /**
   * @throws IllegalArgumentException when the host is empty or the port is not 1 to 65535
   */
  public SeedAddress {
    if (host.isBlank()) throw new IllegalArgumentException("a host is missing");
    if (port < 1 || port > MAX_PORT) {
      throw new IllegalArgumentException("a port is 1 to 65535, not " + port);
    }
  }

  /**
   * Reads {@code host}, {@code host:port}, {@code [v6]:port}, or a bare IPv6 address.
   *
   * @throws IllegalArgumentException when the text has another form
   */
  public static SeedAddress parse(String text) {
    boolean isBareIpv6 = !text.startsWith("[") && text.indexOf(':') != text.lastIndexOf(':');
    if (isBareIpv6) return new SeedAddress(text, DEFAULT_PORT);
    Matcher matcher = FORM.matcher(text);
    if (!matcher.matches()) throw new IllegalArgumentException("not host:port: " + text);
    String host = matcher.group(1) != null ? matcher.group(1) : matcher.group(2);
    String port = matcher.group(3);
    return new SeedAddress(host, port == null ? DEFAULT_PORT : Integer.parseInt(port));
  }

  @Override
  public String toString() {
    return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
  }
}
