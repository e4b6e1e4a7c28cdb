package org.quorumail.tools;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.quorumail.config.ParseContext;
import org.quorumail.config.Problem;
import org.quorumail.config.RateLimit;
import org.quorumail.config.Section;
import org.quorumail.config.TomlDocument;
import org.quorumail.config.Units;
import org.quorumail.tools.SinkScript.Action;
import org.quorumail.tools.SinkScript.Condition;
import org.quorumail.tools.SinkScript.Rule;
import org.quorumail.tools.SinkScript.Stage;
import org.quorumail.tools.SinkScript.SyntaxException;

/**
 * Reads the two forms of a script: TOML with a table {@code [[rule]]} for each rule, and the short
 * one with a rule in each line, {@code STAGE [PATTERN] [times=N] [share=P] ACTION}.
 */
public final class SinkScriptReader {
  private static final int MAX_RULES = 1_000;
  private static final int MAX_REPLY = 500;
  private static final Duration MAX_DELAY = Duration.ofHours(1);
  private static final Pattern REPLY = Pattern.compile("[45][0-9]{2}( [ -~]*)?");
  private static final String GREYLISTED = "450 4.7.1 Greylisted, try again later";
  private static final String TOO_FAST = "450 4.7.1 Too fast, slow down";
  private static final String TOO_FAST_AT_CONNECT = "421 4.7.0 Too fast, slow down";

  private SinkScriptReader() {}

  /**
   * Reads a script in TOML.
   *
   * @param fileName as problems name it
   * @throws SyntaxException with the first problem
   */
  public static SinkScript toml(String fileName, String text) throws SyntaxException {
    ParseContext context = context(fileName, text);
    Section root = context.root();
    long seed = root.longInteger("seed", 1, Long.MIN_VALUE, Long.MAX_VALUE, "seed of chance");
    List<Rule> rules = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (Section section : root.sections("rule", 0)) {
      Rule rule = rule(section, rules.size() + 1);
      if (!names.add(rule.name())) section.problem("name", "is the name of another rule, too");
      rules.add(rule);
    }
    List<Problem> problems = context.problems();
    if (!problems.isEmpty()) throw syntaxException(problems.getFirst());
    for (int i = 0; i < rules.size(); i++) {
      if (rules.get(i).action().doesSomething()) continue;
      String path = "rule[" + i + "]";
      String missing = "has no reply, no delay and no close";
      throw syntaxException(new Problem(path, context.origin(path), missing));
    }
    if (rules.size() > MAX_RULES) {
      throw new SyntaxException(1, "a script has at most " + MAX_RULES + " rules");
    }
    return new SinkScript(rules, seed, System::nanoTime);
  }

  /** Parses a file in TOML, for its keys to be read. */
  static ParseContext context(String fileName, String text) throws SyntaxException {
    try {
      TomlDocument document = TomlDocument.parse(text);
      return new ParseContext(fileName, document.root(), document.lines(), Map.of(), Map.of());
    } catch (TomlDocument.SyntaxException e) {
      throw new SyntaxException(e.line(), String.valueOf(e.getMessage()));
    }
  }

  /** The problem, whose origin is a file and a line. */
  static SyntaxException syntaxException(Problem problem) {
    int colon = problem.origin().lastIndexOf(':');
    String line = problem.origin().substring(colon + 1);
    boolean known = colon >= 0 && line.matches("[0-9]{1,9}");
    String key = problem.key().isEmpty() ? "" : problem.key() + ": ";
    return new SyntaxException(known ? Integer.parseInt(line) : 1, key + problem.message());
  }

  private static Rule rule(Section s, int number) {
    String name = s.text("name", "rule-" + number, "name of the rule");
    Stage stage = s.choice("phase", Stage.class, Stage.RCPT, "phase of the dialogue");
    Optional<Pattern> domain =
        s.optional("domain", "pattern", "", "domain of a recipient", d -> glob("*@" + d));
    Optional<Pattern> recipient =
        s.optional("recipient", "pattern", "", "recipient; * matches any text", t -> glob(t));
    if (domain.isPresent() && recipient.isPresent()) {
      s.problem("domain", "cannot be given beside recipient");
    }
    Optional<Duration> greylist =
        s.optional(
            "greylist",
            "duration",
            "",
            "time for which the first try of a sender and a recipient is refused",
            SinkScriptReader::delay);
    Optional<RateLimit> rate =
        s.optional("rate", "rate", "", "matches up to this rate are none", RateLimit::parse);
    Condition condition =
        new Condition(
            s.optional("helo", "pattern", "", "name of EHLO", t -> glob(t)),
            s.optional("sender", "pattern", "", "reverse-path", t -> glob(t)),
            recipient.or(() -> domain),
            s.longInteger("times", Long.MAX_VALUE, 1, Long.MAX_VALUE, "the first matches only"),
            s.decimal("share", 1, 0, 1, "part of the matches, by chance"),
            greylist,
            rate);
    Optional<String> reply =
        s.optional("reply", "reply", "", "reply, from 400 to 599", SinkScriptReader::reply);
    Duration delay = s.duration("delay", "0s", "0s", "1h", "delay before the reply");
    boolean close = s.flag("close", false, "the connection is closed");
    if (close && reply.isPresent()) s.problem("close", "cannot be given beside reply");
    if (reply.isEmpty() && !close) {
      if (greylist.isPresent()) reply = Optional.of(GREYLISTED);
      else if (rate.isPresent()) {
        boolean early = stage == Stage.CONNECT || stage == Stage.GREETING;
        reply = Optional.of(early ? TOO_FAST_AT_CONNECT : TOO_FAST);
      }
    }
    return new Rule(name, stage, condition, new Action(delay, reply, close));
  }

  /** Reads a script of lines; {@code #} starts a comment. */
  static SinkScript lines(String text) throws SyntaxException {
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
    return new SinkScript(rules, 1, System::nanoTime);
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
        Condition condition = condition(stage, pattern, times, share);
        return new Rule("line-" + line, stage, condition, action(line, word, words));
      } else if (pattern.isEmpty() && stage != Stage.CONNECT) pattern = Optional.of(glob(word));
      else {
        throw new SyntaxException(
            line, "the action is reply CODE TEXT, delay TIME or close, not " + word);
      }
    }
  }

  /** The pattern of a line is for the name at EHLO, the recipient at RCPT, else the sender. */
  private static Condition condition(
      Stage stage, Optional<Pattern> pattern, long times, double share) {
    boolean helo = stage == Stage.EHLO;
    boolean recipient = stage == Stage.RCPT;
    return new Condition(
        helo ? pattern : Optional.empty(),
        helo || recipient ? Optional.empty() : pattern,
        recipient ? pattern : Optional.empty(),
        times,
        share,
        Optional.empty(),
        Optional.empty());
  }

  private static Stage stage(int line, String word) throws SyntaxException {
    for (Stage stage :
        List.of(Stage.CONNECT, Stage.EHLO, Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.DOT)) {
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
    try {
      return switch (word) {
        case "reply" -> new Action(Duration.ZERO, Optional.of(reply(rest)), false);
        case "delay" -> new Action(delay(rest), Optional.empty(), false);
        default -> {
          if (!rest.isEmpty()) {
            throw new SyntaxException(line, "nothing follows close, not " + rest);
          }
          yield new Action(Duration.ZERO, Optional.empty(), true);
        }
      };
    } catch (IllegalArgumentException e) {
      throw new SyntaxException(line, String.valueOf(e.getMessage()));
    }
  }

  private static String reply(String text) {
    if (REPLY.matcher(text).matches() && text.length() <= MAX_REPLY) return text;
    throw new IllegalArgumentException(
        "a reply is a code from 400 to 599 and a text in ASCII, not \"" + text + "\"");
  }

  private static Duration delay(String text) {
    Duration delay;
    try {
      delay = Units.parseDuration(text);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("delay " + e.getMessage(), e);
    }
    if (delay.compareTo(MAX_DELAY) <= 0) return delay;
    throw new IllegalArgumentException("a delay is at most an hour");
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
