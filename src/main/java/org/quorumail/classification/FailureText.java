package org.quorumail.classification;

import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.quorumail.mail.EnhancedStatus;

/**
 * The words of a failure as outcomes keep them: a reply of a server, or a reason of this node. Only
 * the first {@value #TEXT_MAX} characters count.
 *
 * @param code of the reply; 0 when these are words of this node
 * @param status of the reply, where it has one
 * @param text in lower case, so that rules need not name each spelling, and without addresses,
 *     whose names say nothing about the cause
 */
record FailureText(int code, Optional<EnhancedStatus> status, String text) {
  /** Servers name the cause first; links and ticket numbers follow. */
  static final int TEXT_MAX = 1_000;

  private static final Pattern REPLY = Pattern.compile("([245]\\d\\d)(?:[ -]+(.*))?");

  /** A reply within the words of this node: to the connection, to EHLO, to a lost session. */
  private static final Pattern QUOTED_REPLY =
      Pattern.compile(
          "(?:greets with \"|answers EHLO with \"|^lost the session with \\S{1,400}: )"
              + "([245]\\d\\d(?:[ -].*)?)");

  private static final Pattern ADDRESS = Pattern.compile("\\S{1,400}@\\S{1,400}");

  private static final String GIVEN_UP = "given up because ";
  private static final String LAST = "; last: ";

  /** Whether these are words of this node and not of a server. */
  boolean isOwn() {
    return code == 0;
  }

  static FailureText of(String diagnostic) {
    String words = diagnostic.strip();
    if (words.startsWith(GIVEN_UP) && words.contains(LAST)) {
      words = words.substring(words.indexOf(LAST) + LAST.length());
    }
    if (words.length() > TEXT_MAX) words = words.substring(0, TEXT_MAX);
    words = words.replace('\n', ' ').replace('\r', ' ');
    Matcher quoted = QUOTED_REPLY.matcher(words);
    String reply = quoted.find() ? quoted.group(1) : words;
    Matcher parts = REPLY.matcher(reply);
    if (!parts.matches()) return new FailureText(0, Optional.empty(), words(words));
    String text = parts.group(2) == null ? "" : parts.group(2);
    int code = Integer.parseInt(parts.group(1));
    return new FailureText(code, EnhancedStatus.leading(text), words(text));
  }

  private static String words(String text) {
    return ADDRESS.matcher(text).replaceAll("@").toLowerCase(Locale.ROOT);
  }
}
