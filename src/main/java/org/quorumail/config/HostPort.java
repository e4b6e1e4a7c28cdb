package org.quorumail.config;

/** A host name or address literal (without brackets) and a port; not resolved. */
public record HostPort(String host, int port) {
  /** Reads {@code host:port}, {@code [v6]:port}, or a bare host with the given default port. */
  public static HostPort parse(String text, int defaultPort) {
    if (text.startsWith("[")) {
      int end = text.indexOf(']');
      if (end < 0) throw new IllegalArgumentException("a bracket is not closed: " + text);
      String rest = text.substring(end + 1);
      String literal = host(text.substring(1, end), text);
      if (rest.isEmpty()) return new HostPort(literal, defaultPort);
      if (!rest.startsWith(":")) throw new IllegalArgumentException("not host:port: " + text);
      return new HostPort(literal, port(rest.substring(1), text));
    }
    int colon = text.lastIndexOf(':');
    boolean bareIpv6 = colon >= 0 && text.indexOf(':') != colon;
    if (colon < 0 || bareIpv6) return new HostPort(host(text, text), defaultPort);
    return new HostPort(
        host(text.substring(0, colon), text), port(text.substring(colon + 1), text));
  }

  /** An address as written, or a name in its ASCII form. */
  private static String host(String host, String whole) {
    if (host.isBlank()) throw new IllegalArgumentException("a host is missing");
    try {
      IpLiteral.parse(host);
      return host;
    } catch (IllegalArgumentException e) {
      // no address: a name
    }
    if (host.chars().allMatch(Character::isDigit)) {
      throw new IllegalArgumentException("a host is missing: " + whole);
    }
    return HostName.validate(host);
  }

  private static int port(String digits, String whole) {
    try {
      int port = Integer.parseInt(digits);
      if (port >= 1 && port <= 65535) return port;
    } catch (NumberFormatException e) {
      // reported below with the whole text
    }
    throw new IllegalArgumentException("a port is 1 to 65535: " + whole);
  }

  @Override
  public String toString() {
    return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
  }
}
