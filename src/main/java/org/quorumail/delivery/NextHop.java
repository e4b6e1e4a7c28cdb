package org.quorumail.delivery;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;
import org.quorumail.config.HostPort;

/** One target of a route. */
public sealed interface NextHop {
  int SMTP_PORT = 25;
  int LMTP_PORT = 24;

  /**
   * A fixed host: {@code smtp://relay:25?priority=10&weight=100}. Lower priority is tried first.
   */
  record Smtp(HostPort host, int priority, int weight) implements NextHop {}

  /** A mail store that takes LMTP: {@code lmtp://127.0.0.1:24}. */
  record Lmtp(HostPort host) implements NextHop {}

  /** The MX hosts of the recipient's domain: {@code mx}. */
  record Mx() implements NextHop {}

  /** No host: mail is counted as delivered and discarded: {@code discard}. */
  record Discard() implements NextHop {}

  /**
   * Reads a next hop as the configuration writes it.
   *
   * @throws IllegalArgumentException with the problem as its message
   */
  static NextHop parse(String text) {
    String lower = text.strip().toLowerCase(Locale.ROOT);
    if (lower.equals("mx")) return new Mx();
    if (lower.equals("discard")) return new Discard();
    if (lower.startsWith("lmtp://")) {
      return new Lmtp(HostPort.parse(text.strip().substring(7), LMTP_PORT));
    }
    if (lower.startsWith("smtp://")) return smtp(text.strip());
    throw new IllegalArgumentException(
        "must be \"smtp://host:25\", \"lmtp://host:24\", \"mx\" or \"discard\", not \""
            + text
            + "\"");
  }

  private static Smtp smtp(String text) {
    String query;
    try {
      query = new URI(text).getRawQuery();
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException("not a next hop: \"" + text + "\"", e);
    }
    int end = text.indexOf('?') < 0 ? text.length() : text.indexOf('?');
    HostPort host = HostPort.parse(text.substring("smtp://".length(), end).strip(), SMTP_PORT);
    int priority = 10;
    int weight = 100;
    for (String parameter : query == null ? new String[0] : query.split("&")) {
      String[] pair = parameter.split("=", 2);
      switch (pair[0]) {
        case "priority" -> priority = number(parameter);
        case "weight" -> weight = number(parameter);
        default ->
            throw new IllegalArgumentException(
                "a next hop has the parameters priority and weight, not \"" + pair[0] + "\"");
      }
    }
    return new Smtp(host, priority, weight);
  }

  private static int number(String parameter) {
    String value = parameter.substring(parameter.indexOf('=') + 1);
    if (parameter.indexOf('=') > 0 && value.matches("\\d{1,5}")) return Integer.parseInt(value);
    throw new IllegalArgumentException("must be 0 to 99999: \"" + parameter + "\"");
  }
}
