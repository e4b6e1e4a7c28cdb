package org.quorumail.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class TextTableTest {
  @Test
  void columnsAreAlignedAndEndWithoutBlanks() {
    TextTable table = new TextTable("ID", "STATUS", "SENDER");
    table.row("01KAF2C7", "held", "a@example.org").row("-", "in-progress", "<>");

    assertThat(lines(table))
        .containsExactly(
            "ID        STATUS       SENDER",
            "01KAF2C7  held         a@example.org",
            "-         in-progress  <>");
  }

  @Test
  void everyCellIsPrintedWholeAlsoWhenItLooksLikeMarkup() {
    TextTable table = new TextTable("A", "B");
    table.row("@|red secret|@", "%s %n").row("漢字", "x");

    assertThat(lines(table))
        .containsExactly(
            "A                    B", "@\\u007cred secret|@  %s %n", "漢字                   x");
  }

  @Test
  void controlCharactersAreEscaped() {
    assertThat(TextTable.escape("a\u001b[31mb\u202e\u2028"))
        .isEqualTo("a\\u001b[31mb\\u202e\\u2028");
  }

  @Test
  void aRowOfAnotherLengthIsAFault() {
    TextTable table = new TextTable("A", "B");
    assertThatThrownBy(() -> table.row("x")).isInstanceOf(IllegalStateException.class);
  }

  private static String[] lines(TextTable table) {
    StringWriter text = new StringWriter();
    table.print(new PrintWriter(text, true));
    return text.toString().split("\n");
  }
}
