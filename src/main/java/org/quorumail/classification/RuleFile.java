package org.quorumail.classification;

import static java.util.stream.Collectors.joining;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.quorumail.config.ParseContext;
import org.quorumail.config.Problem;
import org.quorumail.config.RateLimit;
import org.quorumail.config.Section;
import org.quorumail.config.TextFile;
import org.quorumail.config.TomlDocument;
import org.quorumail.mail.FailureClass;

/** The content of a rule file: rules in their order, and the actions of classes. */
record RuleFile(List<ClassificationRule> rules, Map<FailureClass, FailureAction> actions) {
  /** Ten times what the file of this release has. */
  static final int BYTES_MAX = 1 << 20;

  /** A failure is compared with each rule in turn. */
  static final int RULES_MAX = 2_000;

  /** The problems that one sentence names. */
  private static final int PROBLEMS_MAX = 10;

  private static final String TIME_MIN = "1s";

  /** Longer than any message lives by default. */
  private static final String TIME_MAX = "7d";

  private static final String DEFAULT_TIME = "15m";

  /** The classes whose failure is this node's own fault: their mail waits and never bounces. */
  private static final Set<FailureClass> WAITS = Set.of(FailureClass.AUTHENTICATION);

  private enum Kind {
    NONE,
    FAIL,
    DEFER,
    SLOW_DOWN,
    SUSPEND
  }

  RuleFile {
    rules = List.copyOf(rules);
    actions = Map.copyOf(actions);
  }

  static RuleFile read(Path file) throws IOException {
    return parse(file.toString(), TextFile.read(file, BYTES_MAX));
  }

  /**
   * @param name of the file, for problems
   * @throws IOException with the problems, each with its line
   */
  static RuleFile parse(String name, String toml) throws IOException {
    TomlDocument document;
    try {
      document = TomlDocument.parse(toml);
    } catch (TomlDocument.SyntaxException e) {
      throw new IOException(name + ":" + e.line() + ": not valid TOML: " + e.getMessage(), e);
    }
    ParseContext context =
        new ParseContext(name, document.root(), document.lines(), Map.of(), Map.of());
    RuleFile file = read(context.root());
    List<Problem> problems = context.problems();
    if (problems.isEmpty()) return file;
    String first =
        problems.stream().limit(PROBLEMS_MAX).map(Problem::toString).collect(joining("; "));
    int more = problems.size() - PROBLEMS_MAX;
    throw new IOException(more > 0 ? first + "; and " + more + " more problems" : first);
  }

  private static RuleFile read(Section root) {
    Map<FailureClass, FailureAction> actions = new EnumMap<>(FailureClass.class);
    root.namedSections("action")
        .forEach(
            (name, section) -> {
              Optional<FailureClass> failureClass = FailureClass.parse(name);
              FailureAction action =
                  action(section, failureClass.orElse(FailureClass.OTHER))
                      .orElseGet(FailureAction.Keep::new);
              if (failureClass.isPresent()) actions.put(failureClass.get(), action);
              else section.problem("", "no class has this name; there are " + classNames());
            });
    List<ClassificationRule> rules = new ArrayList<>();
    List<Section> sections = root.sections("rule", 0);
    if (sections.size() > RULES_MAX)
      root.problem("rule", "has %d rules, more than %d".formatted(sections.size(), RULES_MAX));
    Set<String> names = new HashSet<>();
    TextPatterns patterns = new TextPatterns();
    for (Section section : sections.subList(0, Math.min(sections.size(), RULES_MAX))) {
      ClassificationRule rule = rule(section, patterns);
      rules.add(rule);
      if (!names.add(rule.name())) section.problem("name", "another rule has this name");
    }
    return new RuleFile(rules, actions);
  }

  private static String classNames() {
    List<String> names = new ArrayList<>();
    for (FailureClass c : FailureClass.values()) names.add(c.text());
    return String.join(", ", names);
  }

  private static ClassificationRule rule(Section rule, TextPatterns patterns) {
    String name = rule.value("name", "name", "", "", "name in logs and lists", RuleFile::validName);
    if (name.isEmpty() && !rule.hasProblem("name")) rule.problem("name", "the rule has no name");
    if (!rule.has("class")) rule.problem("class", "the rule names no class");
    FailureClass failureClass =
        rule.choice("class", FailureClass.class, FailureClass.OTHER, "class of the failure");
    boolean own = rule.flag("own", false, "is about words of this node instead of a reply");
    ClassificationRule read =
        new ClassificationRule(
            name,
            failureClass,
            own,
            rule.list("code", "codes", List.of(), "codes of the reply", RuleFile::code),
            rule.list("status", "codes", List.of(), "enhanced status codes", StatusPattern::parse),
            rule.list("text", "phrases", List.of(), "one is in the words", TextPatterns::phrase),
            rule.optional("pattern", "pattern", "", "RE2 pattern in the words", patterns::compile)
                .orElse(null),
            action(rule, failureClass));
    boolean hasCondition =
        rule.has("code") || rule.has("status") || rule.has("text") || rule.has("pattern");
    if (!hasCondition)
      rule.problem("", "the rule has no condition; add code, status, text or pattern");
    if (own && (rule.has("code") || rule.has("status")))
      rule.problem("own", "words of this node have no code and no status");
    return read;
  }

  private static String validName(String name) {
    if (name.matches("[a-z0-9][a-z0-9.-]{0,59}")) return name;
    throw new IllegalArgumentException(
        "\"" + name + "\" is not a name of at most 60 lower-case letters, digits, - and .");
  }

  private static int code(String text) {
    if (text.matches("[45]\\d\\d")) return Integer.parseInt(text);
    throw new IllegalArgumentException("\"" + text + "\" is not a code from 400 to 599");
  }

  /** Reads {@code action}, {@code for} and {@code rate}; empty when no action is written. */
  private static Optional<FailureAction> action(Section section, FailureClass failureClass) {
    boolean written = section.has("action");
    Kind kind = section.choice("action", Kind.class, Kind.NONE, "action that follows");
    Duration time = section.duration("for", DEFAULT_TIME, TIME_MIN, TIME_MAX, "time of the action");
    RateLimit rate =
        section.value(
            "rate", "rate", "1/s", RateLimit.parse("1/s"), "messages meanwhile", RateLimit::parse);
    boolean timed = kind != Kind.NONE && kind != Kind.FAIL;
    if (section.has("for") && !timed)
      section.problem("for", "is of no use without action = \"defer\", \"slow-down\", \"suspend\"");
    if (section.has("rate") && kind != Kind.SLOW_DOWN)
      section.problem("rate", "is of no use without action = \"slow-down\"");
    if (kind == Kind.FAIL && WAITS.contains(failureClass))
      section.problem(
          "action", "mail waits while the login of this node is refused; it must not fail");
    if (!written) return Optional.empty();
    return Optional.of(
        switch (kind) {
          case NONE -> new FailureAction.Keep();
          case FAIL -> new FailureAction.Fail();
          case DEFER -> new FailureAction.Defer(time);
          case SLOW_DOWN -> new FailureAction.SlowDown(time, rate);
          case SUSPEND -> new FailureAction.Suspend(time);
        });
  }
}
