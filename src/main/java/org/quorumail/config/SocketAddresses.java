package org.quorumail.config;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.quorumail.delivery.NextHop;

/** Sockets, next hops and rates as the configuration writes them. */
public final class SocketAddresses {
  public static final InetAddress ANY = InetAddress.ofLiteral("::");

  private static final int SMTP_PORT = 25;
  private static final int LMTP_PORT = 24;
  private static final int DNS_PORT = 53;
  private static final Pattern RATE =
      Pattern.compile("(\\d{1,9})\\s*/\\s*(s|m|h)(?:\\s+burst\\s+(\\d{1,9}))?");

  private SocketAddresses() {}

  /** {@code [::]:2525}, {@code 127.0.0.1:25}; port 0 lets the system choose. */
  public static InetSocketAddress socket(String text) {
    int colon = text.lastIndexOf(':');
    if (colon <= 0) throw notASocket(text);
    String host = text.substring(0, colon);
    try {
      int port = Integer.parseInt(text.substring(colon + 1));
      if (port < 0 || port > 65_535) throw notASocket(text);
      return new InetSocketAddress(literal(host), port);
    } catch (NumberFormatException e) {
      throw notASocket(text);
    }
  }

  private static InetAddress literal(String host) {
    if (host.equals("localhost")) return InetAddress.ofLiteral("127.0.0.1");
    boolean brackets = host.startsWith("[") && host.endsWith("]");
    if (!brackets && host.indexOf(':') >= 0) throw notASocket(host);
    return InetAddress.ofLiteral(brackets ? host.substring(1, host.length() - 1) : host);
  }

  private static IllegalArgumentException notASocket(String text) {
    return new IllegalArgumentException(
        "must be an address and a port such as \"[::]:2525\" or \"127.0.0.1:2525\", not \""
            + text
            + "\"");
  }

  /** A name server: an address, with a port when it is not 53. */
  public static InetSocketAddress nameServer(String text) {
    HostPort server = HostPort.parse(text.strip(), DNS_PORT);
    return new InetSocketAddress(InetAddress.ofLiteral(server.host()), server.port());
  }

  public static HostPort smtpHost(String text) {
    return HostPort.parse(text.strip(), SMTP_PORT);
  }

  public static DomainPattern domainPattern(String text) {
    if (text.equals("*")) return new DomainPattern(text);
    boolean subdomains = text.startsWith("*.");
    String domain = HostName.validate(subdomains ? text.substring(2) : text);
    return new DomainPattern(subdomains ? "*." + domain : domain);
  }

  public static NextHop nextHop(String text) {
    String lower = text.strip().toLowerCase(Locale.ROOT);
    if (lower.equals("mx")) return new NextHop.Mx();
    if (lower.equals("discard")) return new NextHop.Discard();
    if (lower.startsWith("lmtp://")) {
      return new NextHop.Lmtp(HostPort.parse(text.strip().substring(7), LMTP_PORT));
    }
    if (lower.startsWith("smtp://")) return smtp(text.strip());
    throw new IllegalArgumentException(
        "must be \"smtp://host:25\", \"lmtp://host:24\", \"mx\" or \"discard\", not \""
            + text
            + "\"");
  }

  private static NextHop.Smtp smtp(String text) {
    String query;
    try {
      query = new URI(text).getRawQuery();
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException("not a next hop: \"" + text + "\"", e);
    }
    int end = text.indexOf('?') < 0 ? text.length() : text.indexOf('?');
    HostPort host = smtpHost(text.substring("smtp://".length(), end));
    int priority = 10;
    int weight = 100;
    for (String parameter : query == null ? new String[0] : query.split("&")) {
      String[] pair = parameter.split("=", 2);
      switch (pair[0]) {
        case "priority" -> priority = parameter(parameter);
        case "weight" -> weight = parameter(parameter);
        default ->
            throw new IllegalArgumentException(
                "a next hop has the parameters priority and weight, not \"" + pair[0] + "\"");
      }
    }
    return new NextHop.Smtp(host, priority, weight);
  }

  private static int parameter(String text) {
    String value = text.substring(text.indexOf('=') + 1);
    if (text.indexOf('=') > 0 && value.matches("\\d{1,5}")) return Integer.parseInt(value);
    throw new IllegalArgumentException("must be 0 to 99999: \"" + text + "\"");
  }

  /** {@code 10/s burst 20}; also per minute and per hour. */
  public static RateLimit rate(String text) {
    Matcher m = RATE.matcher(text.strip());
    if (!m.matches()) {
      throw new IllegalArgumentException("not a rate; write it like \"10/s burst 20\"");
    }
    int count = Integer.parseInt(m.group(1));
    int seconds =
        switch (m.group(2)) {
          case "h" -> 3600;
          case "m" -> 60;
          default -> 1;
        };
    int burst = m.group(3) == null ? Math.max(1, count) : Integer.parseInt(m.group(3));
    if (count == 0 || burst == 0) throw new IllegalArgumentException("a rate is more than 0");
    return new RateLimit((double) count / seconds, burst);
  }
}
