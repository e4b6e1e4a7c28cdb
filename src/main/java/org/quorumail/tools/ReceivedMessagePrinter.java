package org.quorumail.tools;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * A printer of the messages that a {@link SmtpSink} receives: one line each, or the whole message.
 * Text from the network is escaped.
 */
public final class ReceivedMessagePrinter {
  private static final int MAX_RECIPIENTS = 5;
  private static final int MAX_SUBJECT = 80;
  private static final String SUBJECT = "subject:";

  private final PrintStream out;
  private final boolean withContent;
  private long count;

  public ReceivedMessagePrinter(PrintStream out, boolean withContent) {
    this.out = out;
    this.withContent = withContent;
  }

  /** Prints one message. */
  public synchronized void print(SmtpSink.ReceivedMessage message) {
    count++;
    String content = new String(message.content(), 0, message.length(), StandardCharsets.UTF_8);
    String recipients =
        message.recipients().stream()
            .limit(MAX_RECIPIENTS)
            .map(address -> "<" + escape(address) + ">")
            .collect(Collectors.joining(", "));
    int more = message.recipients().size() - MAX_RECIPIENTS;
    out.printf(
        Locale.ROOT,
        "%d  from <%s> to %s%s, %d bytes, subject: %s%n",
        count,
        escape(message.from()),
        recipients,
        more > 0 ? " and " + more + " more" : "",
        message.length(),
        TextTable.escape(subject(content)));
    if (withContent) {
      content.lines().forEach(line -> out.println("    " + TextTable.escape(line)));
      out.println();
    }
    out.flush();
  }

  /** An address as text: the sink keeps its octets. */
  private static String escape(String octets) {
    byte[] bytes = octets.getBytes(StandardCharsets.ISO_8859_1);
    return TextTable.escape(new String(bytes, StandardCharsets.UTF_8));
  }

  /** The subject of the header; empty when there is none. */
  private static String subject(String content) {
    for (String line : (Iterable<String>) content.lines()::iterator) {
      if (line.isEmpty()) break;
      if (line.regionMatches(true, 0, SUBJECT, 0, SUBJECT.length())) {
        String subject = line.substring(SUBJECT.length()).strip();
        return subject.length() <= MAX_SUBJECT ? subject : subject.substring(0, MAX_SUBJECT) + "…";
      }
    }
    return "";
  }
}
