package org.quorumail.classification;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.quorumail.mail.FailureClass;

/**
 * The classifier of failures: the first rule that fits gives the class, those of the operator
 * before those of this release. The class is a function of the words and the rules alone, so it is
 * not stored: mail that waits is shown by the rules of the moment. Thread-safe.
 */
public final class FailureClassifier {
  /** The rules of this release. */
  private static final String BUILT_IN = "rules.toml";

  /** Many recipients get the same words, above all while one destination refuses all mail. */
  private static final int CACHED = 10_000;

  private final List<ClassificationRule> rules;
  private final Map<FailureClass, FailureAction> actions;
  private final Cache<String, Classification> known =
      Caffeine.newBuilder().maximumSize(CACHED).build();

  private FailureClassifier(RuleFile own, RuleFile builtIn) {
    List<ClassificationRule> ordered = new ArrayList<>(own.rules());
    ordered.addAll(builtIn.rules());
    rules = List.copyOf(ordered);
    Map<FailureClass, FailureAction> all = new EnumMap<>(FailureClass.class);
    all.putAll(builtIn.actions());
    all.putAll(own.actions());
    actions = Map.copyOf(all);
  }

  /** The rules of this release alone. */
  public static FailureClassifier builtIn() {
    return new FailureClassifier(new RuleFile(List.of(), Map.of()), builtInRules());
  }

  /**
   * @param file the operator's rules; without one the rules of this release stand alone
   * @throws IOException with each problem and its line
   */
  public static FailureClassifier open(Optional<Path> file) throws IOException {
    if (file.isEmpty()) return builtIn();
    try {
      return new FailureClassifier(RuleFile.read(file.get()), builtInRules());
    } catch (IOException e) {
      throw new IOException("delivery.classification.file: " + e.getMessage(), e);
    }
  }

  private static RuleFile builtInRules() {
    try (InputStream in = FailureClassifier.class.getResourceAsStream(BUILT_IN)) {
      byte[] toml = Objects.requireNonNull(in, "the rules of this release").readAllBytes();
      return RuleFile.parse(BUILT_IN, new String(toml, StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException("the rules of this release cannot be read", e);
    }
  }

  /**
   * @param diagnostic a reply such as {@code 550 5.1.1 no such user}, or the words of this node
   */
  public Classification classify(String diagnostic) {
    String key =
        diagnostic.length() <= FailureText.TEXT_MAX
            ? diagnostic
            : diagnostic.substring(0, FailureText.TEXT_MAX);
    return known.get(key, this::find);
  }

  private Classification find(String diagnostic) {
    FailureText failure = FailureText.of(diagnostic);
    for (ClassificationRule rule : rules) {
      if (!rule.matches(failure)) continue;
      FailureAction action = rule.action().orElseGet(() -> actionOf(rule.failureClass()));
      return new Classification(rule.failureClass(), rule.name(), action);
    }
    return new Classification(
        FailureClass.OTHER, Classification.NO_RULE, actionOf(FailureClass.OTHER));
  }

  private FailureAction actionOf(FailureClass failureClass) {
    FailureAction action = actions.get(failureClass);
    return action == null ? new FailureAction.Keep() : action;
  }
}
