package org.quorumail.classification;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.quorumail.mail.FailureClass;

class FailureClassifierTest {
  @TempDir private Path folder;

  /** Replies of real receivers, and words of this node. */
  @ParameterizedTest
  @MethodSource("replies")
  void theRulesOfThisReleaseKnowTheWordsOfReceivers(String expected, String words) {
    Classification found = FailureClassifier.builtIn().classify(words);
    assertThat(found.failureClass().text()).as("by rule %s", found.rule()).isEqualTo(expected);
  }

  @Test
  void aServerCannotPassItsWordsOffAsThoseOfThisNode() {
    FailureClassifier classifier = FailureClassifier.builtIn();
    assertThat(classifier.classify("550 no login as you").failureClass())
        .isNotEqualTo(FailureClass.AUTHENTICATION);
    assertThat(classifier.classify("451 cannot connect to database").failureClass())
        .isEqualTo(FailureClass.REMOTE_SYSTEM);
  }

  @Test
  void rulesOfTheOperatorComeFirstAndActionsReplaceThoseOfTheRelease() throws Exception {
    FailureClassifier classifier =
        open(
            """
            [[rule]]
            name = "our-partner"
            class = "policy"
            code = ["550"]
            status = ["5.1.*"]
            text = ["Ask Ann"]
            action = "defer"
            for = "2h"
            [[rule]]
            name = "their-block"
            class = "spam-block"
            pattern = 'BLOCKED \\(E\\d{3}\\)'
            [action.spam-block]
            action = "suspend"
            for = "1h"
            [action.rate-limited]
            action = "none"
            """);
    assertThat(classifier.classify("550 5.1.1 ask ann first"))
        .isEqualTo(
            new Classification(
                FailureClass.POLICY, "our-partner", new FailureAction.Defer(Duration.ofHours(2))));
    assertThat(classifier.classify("551 5.1.1 ask ann first").rule()).isEqualTo("certain-mailbox");
    assertThat(classifier.classify("550 5.7.1 blocked (e123)"))
        .isEqualTo(
            new Classification(
                FailureClass.SPAM_BLOCK,
                "their-block",
                new FailureAction.Suspend(Duration.ofHours(1))));
    assertThat(classifier.classify("421 rate limit").action()).isEqualTo(new FailureAction.Keep());
    assertThat(FailureClassifier.builtIn().classify("452 4.5.3 too many recipients").action())
        .isEqualTo(new FailureAction.Keep());
    assertThat(FailureClassifier.builtIn().classify("421 rate limit").action())
        .isInstanceOf(FailureAction.SlowDown.class);
  }

  @ParameterizedTest
  @MethodSource("badRules")
  void aBadRuleIsRefusedWithItsLine(String toml, String sentence) {
    assertThatThrownBy(() -> open(toml.replace("~", "\n")))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("delivery.classification.file: ")
        .hasMessageContaining(sentence);
  }

  @Test
  void aNameTwiceIsRefused() {
    String rule = "[[rule]]\nname = 'a'\nclass = 'policy'\ncode = ['550']\n";
    assertThatThrownBy(() -> open(rule + rule)).hasMessageContaining("another rule has this name");
  }

  @Test
  void aFileBeyondTheBoundsIsRefused() {
    StringBuilder many = new StringBuilder();
    for (int i = 0; i <= RuleFile.RULES_MAX; i++) {
      many.append("[[rule]]\nname = 'a%d'\nclass = 'policy'\ncode = ['550']\n".formatted(i));
    }
    assertThatThrownBy(() -> open(many.toString())).hasMessageContaining("more than 2000");
    assertThatThrownBy(() -> open("# " + "x".repeat(RuleFile.BYTES_MAX)))
        .hasMessageContaining("larger than");
  }

  /** Time linear to the words, whatever the pattern: a backtracking engine would take years. */
  @ParameterizedTest
  @ValueSource(strings = {"(a+)+$", "(a|aa)+$", "(.*a){20}$"})
  void aHostilePatternCostsBoundedTime(String pattern) throws Exception {
    FailureClassifier classifier =
        open("[[rule]]\nname = 'a'\nclass = 'policy'\npattern = '" + pattern + "'\n");
    long start = System.nanoTime();
    classifier.classify("550 " + "a".repeat(FailureText.TEXT_MAX) + "!");
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(2));
  }

  static List<Arguments> replies() throws IOException {
    return pairs("replies.txt");
  }

  static List<Arguments> badRules() throws IOException {
    return pairs("bad-rules.txt");
  }

  /** The lines of a file, each two texts with a bar between them. */
  private static List<Arguments> pairs(String file) throws IOException {
    try (InputStream in = FailureClassifierTest.class.getResourceAsStream(file)) {
      String text = new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
      return text.lines()
          .map(line -> line.split(" \\| ", 2))
          .map(pair -> Arguments.of(pair[0], pair[1]))
          .toList();
    }
  }

  private FailureClassifier open(String toml) throws IOException {
    Path file = folder.resolve("rules.toml");
    Files.writeString(file, toml);
    return FailureClassifier.open(Optional.of(file));
  }
}
