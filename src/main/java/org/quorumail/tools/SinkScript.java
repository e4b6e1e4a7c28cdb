package org.quorumail.tools;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.regex.Pattern;
import org.quorumail.config.Units;

/**
 * The script of a {@link SmtpSink}: rules that refuse, delay or close at a stage of the dialogue.
 * One rule a line, {@code STAGE [PATTERN] [times=N] [share=P] ACTION}; {@code #} starts a comment.
 * The first rule that refuses or closes ends the search; delays add up. A command that no rule
 * refuses is accepted. Thread-safe.
 */
public final class SinkScript {
  /** The script without rules: the sink accepts everything at once. */
  public static final SinkScript EMPTY = new SinkScript(List.of());

  private static final int MAX_RULES = 1_000;
  private static final int MAX_REPLY = 500;
  private static final Duration MAX_DELAY = Duration.ofHours(1);
  private static final Pattern REPLY = Pattern.compile("[45][0-9]{2}( [ -~]*)?");

  /** A stage of the dialogue; its value is what a pattern is compared with. */
  enum Stage {
    /** A new connection, before the greeting; no value. */
    CONNECT,
    /** EHLO or HELO; the name that the client gives. */
    EHLO,
    /** The reverse-path. */
    MAIL,
    /** The recipient. */
    RCPT,
    /** DATA; the reverse-path. */
    DATA,
    /** The final dot; the reverse-path. */
    DOT
  }

  /** The decision at one stage: a delay, then a reply, or the end of the connection, or neither. */
  record Decision(Duration delay, Optional<String> reply, boolean close) {
    static final Decision ACCEPT = new Decision(Duration.ZERO, Optional.empty(), false);
  }

  /** A script that cannot be read: the line and its fault. */
  public static final class SyntaxException extends Exception {
    private static final long serialVersionUID = 1L;

    private final int line;

    SyntaxException(int line, String message) {
      super(message);
      this.line = line;
    }

    /** The number of the line, from 1. */
    public int line() {
      return line;
    }
  }

  private record Action(Duration delay, Optional<String> reply, boolean close) {}

  private static final class Rule {
    private final Stage stage;
    private final Optional<Pattern> pattern;
    private final double share;
    private final Action action;
    private long remaining;

    Rule(Stage stage, Optional<Pattern> pattern, long times, double share, Action action) {
      this.stage = stage;
      this.pattern = pattern;
      this.remaining = times;
      this.share = share;
      this.action = action;
    }
  }

  private final List<Rule> rules;
  private final SplittableRandom random = new SplittableRandom(1);

  private SinkScript(List<Rule> rules) {
    this.rules = List.copyOf(rules);
  }

  /**
   * Reads a script.
   *
   * @throws SyntaxException for the first line that is no rule
   */
  public static SinkScript parse(String text) throws SyntaxException {
    List<Rule> rules = new ArrayList<>();
    int number = 0;
    for (String line : text.lines().toList()) {
      number++;
      String rule = line.strip();
      if (rule.isEmpty() || rule.startsWith("#")) continue;
      if (rules.size() == MAX_RULES) {
        throw new SyntaxException(number, "a script has at most " + MAX_RULES + " rules");
      }
      rules.add(rule(number, rule));
    }
    return new SinkScript(rules);
  }

  /** The number of rules. */
  public int size() {
    return rules.size();
  }

  /** Decides about one command; counts the rules that are limited by {@code times}. */
  Decision at(Stage stage, String value) {
    if (rules.isEmpty()) return Decision.ACCEPT;
    Duration delay = Duration.ZERO;
    synchronized (this) {
      for (Rule rule : rules) {
        if (!applies(rule, stage, value)) continue;
        if (rule.remaining != Long.MAX_VALUE) rule.remaining--;
        delay = delay.plus(rule.action.delay);
        if (rule.action.close || rule.action.reply.isPresent()) {
          return new Decision(delay, rule.action.reply, rule.action.close);
        }
      }
    }
    return new Decision(delay, Optional.empty(), false);
  }

  private boolean applies(Rule rule, Stage stage, String value) {
    if (rule.stage != stage || rule.remaining == 0) return false;
    if (rule.pattern.isPresent() && !rule.pattern.get().matcher(value).matches()) return false;
    return rule.share >= 1 || random.nextDouble() < rule.share;
  }

  private static Rule rule(int line, String text) throws SyntaxException {
    Words words = new Words(line, text);
    Stage stage = stage(line, words.next());
    Optional<Pattern> pattern = Optional.empty();
    long times = Long.MAX_VALUE;
    double share = 1;
    while (true) {
      String word = words.next();
      if (word.startsWith("times=")) times = times(line, word.substring(6));
      else if (word.startsWith("share=")) share = share(line, word.substring(6));
      else if (isAction(word)) {
        return new Rule(stage, pattern, times, share, action(line, word, words));
      } else if (pattern.isEmpty() && stage != Stage.CONNECT) pattern = Optional.of(glob(word));
      else {
        throw new SyntaxException(
            line, "the action is reply CODE TEXT, delay TIME or close, not " + word);
      }
    }
  }

  private static Stage stage(int line, String word) throws SyntaxException {
    for (Stage stage : Stage.values()) {
      if (stage.name().toLowerCase(Locale.ROOT).equals(word)) return stage;
    }
    throw new SyntaxException(
        line, "the stage is connect, ehlo, mail, rcpt, data or dot, not " + word);
  }

  private static boolean isAction(String word) {
    return word.equals("reply") || word.equals("delay") || word.equals("close");
  }

  private static Action action(int line, String word, Words words) throws SyntaxException {
    String rest = words.rest();
    return switch (word) {
      case "reply" -> new Action(Duration.ZERO, Optional.of(reply(line, rest)), false);
      case "delay" -> new Action(delay(line, rest), Optional.empty(), false);
      default -> {
        if (!rest.isEmpty()) throw new SyntaxException(line, "nothing follows close, not " + rest);
        yield new Action(Duration.ZERO, Optional.empty(), true);
      }
    };
  }

  private static String reply(int line, String text) throws SyntaxException {
    if (REPLY.matcher(text).matches() && text.length() <= MAX_REPLY) return text;
    throw new SyntaxException(
        line, "a reply is a code from 400 to 599 and a text in ASCII, not \"" + text + "\"");
  }

  private static Duration delay(int line, String text) throws SyntaxException {
    try {
      Duration delay = Units.parseDuration(text);
      if (!delay.isNegative() && delay.compareTo(MAX_DELAY) <= 0) return delay;
    } catch (IllegalArgumentException e) {
      throw new SyntaxException(line, "delay " + e.getMessage());
    }
    throw new SyntaxException(line, "a delay is at most an hour");
  }

  private static long times(int line, String text) throws SyntaxException {
    if (text.matches("[1-9][0-9]{0,8}")) return Long.parseLong(text);
    throw new SyntaxException(line, "times is a number from 1, not " + text);
  }

  private static double share(int line, String text) throws SyntaxException {
    try {
      double share = Double.parseDouble(text);
      if (share > 0 && share <= 1) return share;
    } catch (NumberFormatException e) {
      throw new SyntaxException(line, "share is a number, not " + text);
    }
    throw new SyntaxException(line, "share is more than 0 and at most 1, not " + text);
  }

  /** The pattern of a word; a star matches any text. */
  private static Pattern glob(String word) {
    // sessions read octets, see SmtpSocket
    String octets = new String(word.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
    String[] parts = octets.split("\\*", -1);
    StringBuilder regex = new StringBuilder(Pattern.quote(parts[0]));
    for (int i = 1; i < parts.length; i++) regex.append(".*").append(Pattern.quote(parts[i]));
    return Pattern.compile(regex.toString(), Pattern.CASE_INSENSITIVE);
  }

  /** The words of one line. */
  private static final class Words {
    private final int line;
    private String rest;

    Words(int line, String text) {
      this.line = line;
      this.rest = text;
    }

    String next() throws SyntaxException {
      if (rest.isEmpty()) {
        throw new SyntaxException(
            line, "an action is missing: reply CODE TEXT, delay TIME or close");
      }
      String[] parts = rest.split("\\s+", 2);
      rest = parts.length > 1 ? parts[1] : "";
      return parts[0];
    }

    String rest() {
      return rest;
    }
  }
}
