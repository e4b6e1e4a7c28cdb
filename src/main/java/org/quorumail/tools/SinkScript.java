package org.quorumail.tools;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.LongSupplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.quorumail.config.RateLimit;

/**
 * The script of a {@link SmtpSink}: rules that refuse, delay or close at a stage of the dialogue.
 * The first rule that refuses or closes ends the search; delays add up. A command that no rule
 * refuses is accepted. {@link SinkScriptReader} reads its two forms. Thread-safe.
 */
public final class SinkScript {
  /** The script without rules: the sink accepts everything at once. */
  public static final SinkScript EMPTY = new SinkScript(List.of(), 1, System::nanoTime);

  /** The pairs of sender and recipient that greylisting remembers; the oldest are forgotten. */
  private static final int PAIRS_MAX = 100_000;

  /** A stage of the dialogue. */
  enum Stage {
    /** A new connection, before the greeting. */
    CONNECT,
    /** The greeting; a close comes in the middle of it. */
    GREETING,
    /** EHLO or HELO. */
    EHLO,
    /** STARTTLS, which the sink offers only to refuse it. */
    STARTTLS,
    MAIL,
    RCPT,
    DATA,
    /** The first line of the content. */
    CONTENT,
    /** The final dot; the message is not received when a rule refuses or closes. */
    DOT,
    /** The reply to the final dot; the message is received whatever a rule does. */
    AFTER_DOT
  }

  /**
   * A dialogue so far.
   *
   * @param recipients those that were accepted; at RCPT the one in question alone
   */
  record Situation(String helo, String sender, List<String> recipients) {}

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

  /** The effect of a rule. */
  record Action(Duration delay, Optional<String> reply, boolean close) {
    boolean doesSomething() {
      return close || reply.isPresent() || !delay.isZero();
    }
  }

  /**
   * The dialogues that a rule is for; an empty pattern fits all.
   *
   * @param times the first matches only
   * @param share the part of the matches, 0 to 1
   * @param greylist the time for which the first try of a sender and a recipient is refused
   * @param rate matches up to this rate are none
   */
  record Condition(
      Optional<Pattern> helo,
      Optional<Pattern> sender,
      Optional<Pattern> recipient,
      long times,
      double share,
      Optional<Duration> greylist,
      Optional<RateLimit> rate) {}

  /** One rule. */
  record Rule(String name, Stage stage, Condition condition, Action action) {}

  /** A rule with its state. */
  private static final class ActiveRule {
    private final Rule rule;
    private final Map<String, Long> firstTries = new LinkedHashMap<>();
    private long matches;
    private double tokens;
    private long refilledAt;

    ActiveRule(Rule rule, long now) {
      this.rule = rule;
      this.tokens = rule.condition.rate.map(RateLimit::burst).orElse(0);
      this.refilledAt = now;
    }
  }

  private final List<ActiveRule> rules = new ArrayList<>();
  private final SplittableRandom random;
  private final LongSupplier nanos;

  /**
   * @param nanos as {@link System#nanoTime}
   */
  SinkScript(List<Rule> rules, long seed, LongSupplier nanos) {
    this.random = new SplittableRandom(seed);
    this.nanos = nanos;
    long now = nanos.getAsLong();
    for (Rule rule : rules) this.rules.add(new ActiveRule(rule, now));
  }

  /**
   * Reads a script of lines.
   *
   * @throws SyntaxException for the first line that is no rule
   */
  public static SinkScript parse(String text) throws SyntaxException {
    return SinkScriptReader.lines(text);
  }

  /** The number of rules. */
  public int size() {
    return rules.size();
  }

  /** The matches of each rule, by its name, in their order. */
  synchronized Map<String, Long> matches() {
    Map<String, Long> all = new LinkedHashMap<>();
    for (ActiveRule active : rules) all.put(active.rule.name, active.matches);
    return all;
  }

  /** Whether a rule is for a stage. */
  boolean concerns(Stage stage) {
    return rules.stream().anyMatch(active -> active.rule.stage == stage);
  }

  /** Decides about one command, and counts the matches. */
  Decision at(Stage stage, Situation situation) {
    if (rules.isEmpty()) return Decision.ACCEPT;
    Duration delay = Duration.ZERO;
    synchronized (this) {
      for (ActiveRule active : rules) {
        if (active.rule.stage != stage || !applies(active, situation)) continue;
        active.matches++;
        Action action = active.rule.action;
        delay = delay.plus(action.delay);
        if (action.close || action.reply.isPresent()) {
          return new Decision(delay, action.reply, action.close);
        }
      }
    }
    return new Decision(delay, Optional.empty(), false);
  }

  private boolean applies(ActiveRule active, Situation situation) {
    Condition when = active.rule.condition;
    if (active.matches >= when.times) return false;
    if (!fits(when.helo, situation.helo) || !fits(when.sender, situation.sender)) return false;
    if (when.recipient.isPresent()
        && situation.recipients.stream().noneMatch(r -> fits(when.recipient, r))) return false;
    if (when.greylist.isPresent() && !isFirstTry(active, situation, when.greylist.get())) {
      return false;
    }
    if (when.rate.isPresent() && takesToken(active, when.rate.get())) return false;
    return when.share >= 1 || random.nextDouble() < when.share;
  }

  private static boolean fits(Optional<Pattern> pattern, String value) {
    return pattern.isEmpty() || pattern.get().matcher(value).matches();
  }

  private boolean isFirstTry(ActiveRule active, Situation situation, Duration lasts) {
    String pair = situation.sender + "\n" + situation.recipients;
    long now = nanos.getAsLong();
    @Nullable Long first = active.firstTries.get(pair);
    if (first == null) {
      if (active.firstTries.size() >= PAIRS_MAX) {
        active.firstTries.remove(active.firstTries.keySet().iterator().next());
      }
      active.firstTries.put(pair, now);
      return true;
    }
    return now - first < lasts.toNanos();
  }

  private boolean takesToken(ActiveRule active, RateLimit rate) {
    long now = nanos.getAsLong();
    double more = (now - active.refilledAt) / 1e9 * rate.perSecond();
    active.tokens = Math.min(rate.burst(), active.tokens + more);
    active.refilledAt = now;
    if (active.tokens < 1) return false;
    active.tokens--;
    return true;
  }
}
