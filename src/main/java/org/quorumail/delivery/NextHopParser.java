package org.quorumail.delivery;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.quorumail.config.HostPort;
import org.quorumail.delivery.local.MailboxAccount;
import org.quorumail.delivery.local.MailboxPath;
import org.quorumail.delivery.local.Maildir;
import org.quorumail.delivery.local.Mbox;
import org.quorumail.delivery.local.Pipe;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.Outcome;

/** Reads a next hop as the configuration writes it. */
final class NextHopParser {

  /** The reply that {@code error:} gives: code, status if any, text. */
  private static final Pattern REPLY =
      Pattern.compile("([45]\\d\\d)(?: ([45]\\.\\d{1,3}\\.\\d{1,3}))?((?: \\p{Print}+)?)");

  private static final int SOCKET_PATH_MAX = 107; // sun_path, unix(7)

  private NextHopParser() {}

  /**
   * Reads one next hop.
   *
   * @throws IllegalArgumentException with the problem as its message
   */
  static NextHop parse(String text) {
    String stripped = text.strip();
    int colon = stripped.indexOf(':') < 0 ? stripped.length() : stripped.indexOf(':');
    String kind = stripped.substring(0, colon).toLowerCase(Locale.ROOT);
    String rest = stripped.substring(Math.min(colon + 1, stripped.length()));
    boolean bare = colon == stripped.length();
    return switch (kind) {
      case "mx" -> bareWord(text, bare, new NextHop.Mx());
      case "discard" -> bareWord(text, bare, new NextHop.Discard());
      case "smtp" -> server(text, rest, at -> host(at, NextHop.SMTP_PORT), NextHop.Smtp::new);
      case "lmtp" -> server(text, rest, at -> host(at, NextHop.LMTP_PORT), NextHop.Lmtp::new);
      case "lmtp+unix" -> server(text, rest, NextHopParser::socketPath, NextHop.LmtpSocket::new);
      case "maildir" ->
          new NextHop.Local(new Maildir(MailboxPath.parse(kind, rest), MailboxAccount.OF_NODE));
      case "mbox" ->
          new NextHop.Local(new Mbox(MailboxPath.parse(kind, rest), MailboxAccount.OF_NODE));
      case "pipe" -> new NextHop.Local(Pipe.parse(rest));
      case "error" -> reject(rest);
      default -> throw unknown(text);
    };
  }

  private static NextHop bareWord(String text, boolean bare, NextHop hop) {
    if (bare) return hop;
    throw unknown(text);
  }

  private static IllegalArgumentException unknown(String text) {
    return new IllegalArgumentException(
        "must be \"smtp://host:25\", \"lmtp://host:24\", \"lmtp+unix:/path\","
            + " \"maildir:/path/{user}\", \"mbox:/path/{user}\", \"pipe:/program argument\","
            + " \"mx\", \"discard\" or \"error:550 5.1.1 text\", not \""
            + text
            + "\"");
  }

  /** The constructor of a server. */
  private interface ServerFactory<T> {
    NextHop create(T at, int priority, int weight);
  }

  private static <T> NextHop server(
      String whole, String rest, Function<String, T> place, ServerFactory<T> factory) {
    int query = rest.indexOf('?');
    T at = place.apply(query < 0 ? rest : rest.substring(0, query));
    int priority = NextHop.DEFAULT_PRIORITY;
    int weight = NextHop.DEFAULT_WEIGHT;
    if (query < 0) return factory.create(at, priority, weight);
    for (String parameter : rest.substring(query + 1).split("&")) {
      String name = parameter.split("=", 2)[0];
      switch (name) {
        case "priority" -> priority = number(parameter);
        case "weight" -> weight = number(parameter);
        default ->
            throw new IllegalArgumentException(
                "a next hop has the parameters priority and weight, not \""
                    + name
                    + "\", in \""
                    + whole
                    + "\"");
      }
    }
    return factory.create(at, priority, weight);
  }

  private static HostPort host(String rest, int defaultPort) {
    if (!rest.startsWith("//"))
      throw new IllegalArgumentException("a host follows \"//\", as in \"smtp://host:25\"");
    return HostPort.parse(rest.substring(2).strip(), defaultPort);
  }

  private static Path socketPath(String rest) {
    if (!rest.startsWith("/") || rest.startsWith("//") || rest.length() > SOCKET_PATH_MAX)
      throw new IllegalArgumentException(
          "must be \"lmtp+unix:/absolute/path\" of at most "
              + SOCKET_PATH_MAX
              + " octets, not \"lmtp+unix:"
              + rest
              + "\"");
    return Path.of(rest);
  }

  private static int number(String parameter) {
    String value = parameter.substring(parameter.indexOf('=') + 1);
    if (parameter.indexOf('=') > 0 && value.matches("\\d{1,5}")) return Integer.parseInt(value);
    throw new IllegalArgumentException("must be 0 to 99999: \"" + parameter + "\"");
  }

  private static NextHop reject(String rest) {
    Matcher reply = REPLY.matcher(rest.strip());
    if (!reply.matches())
      throw new IllegalArgumentException(
          "must be \"error:550 5.1.1 text\", not \"error:" + rest + "\"");
    int digit = reply.group(1).charAt(0) - '0';
    EnhancedStatus status =
        Optional.ofNullable(reply.group(2))
            .flatMap(EnhancedStatus::leading)
            .orElse(new EnhancedStatus(digit, 0, 0));
    if (status.statusClass() != digit)
      throw new IllegalArgumentException(
          "the code and the status contradict each other: \"error:" + rest + "\"");
    String words = rest.strip();
    return new NextHop.Reject(
        digit == 5
            ? new Outcome.Failed(status, words, "")
            : new Outcome.Deferred(status, words, ""));
  }
}
