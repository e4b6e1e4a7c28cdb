package org.quorumail.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TextDiffTest {
  @Test
  void linesThatWentAndCameAreMarkedInTheirOrder() {
    assertThat(TextDiff.lines("a\nb\nc\nd\n", "a\nc\nx\nd\ne\n"))
        .containsExactly(" a", "-b", " c", "+x", " d", "+e");
    assertThat(TextDiff.lines("", "a\n")).containsExactly("+a");
    assertThat(TextDiff.lines("a\n", "")).containsExactly("-a");
    assertThat(TextDiff.lines("a\nb\n", "a\nb\n")).containsExactly(" a", " b");
  }

  @Test
  void aHugeChangeIsShownAsAWhole() {
    String old = text("old", 30_000);
    String now = text("new", 30_000);
    assertThat(TextDiff.lines(old, now)).hasSize(60_000).startsWith("-old0").endsWith("+new29999");
  }

  private static String text(String word, int lines) {
    return IntStream.range(0, lines).mapToObj(i -> word + i).collect(Collectors.joining("\n"));
  }
}
