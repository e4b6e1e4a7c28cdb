package org.quorumail.config;

/** A host name or address literal (without brackets) and a port; not resolved. */
public record HostPort(String host, int port) {
  /** Reads {@code host:port}, {@code [v6]:port}, or a bare host with the given default port. */
  public static HostPort parse(String text, int defaultPort) {
    if (text.startsWith("[")) {
      int end = text.indexOf(']');
      if (end < 0) throw new IllegalArgumentException("a bracket is not closed: " + text);
      String rest = text.substring(end + 1);
      if (rest.isEmpty()) return new HostPort(text.substring(1, end), defaultPort);
      if (!rest.startsWith(":")) throw new IllegalArgumentException("not host:port: " + text);
      return new HostPort(text.substring(1, end), port(rest.substring(1), text));
    }
    int colon = text.lastIndexOf(':');
    boolean bareIpv6 = colon >= 0 && text.indexOf(':') != colon;
    if (colon < 0 || bareIpv6) return new HostPort(nonEmpty(text), defaultPort);
    return new HostPort(nonEmpty(text.substring(0, colon)), port(text.substring(colon + 1), text));
  }

  private static String nonEmpty(String host) {
    if (host.isBlank()) throw new IllegalArgumentException("a host is missing");
    return host;
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
