package org.quorumail.cli;

import java.io.Console;
import java.util.Optional;

/** The terminal of the user, if the output goes to one. */
final class Terminal {
  /** Moves to the first line and erases the screen below, without flicker. */
  static final String CLEAR_SCREEN = "\033[H\033[J";

  private Terminal() {}

  /** Shows a person how far a long command is, on a line that the next one replaces. */
  static void progress(NodeOptions options, String text) {
    if (!isTerminal() || options.isJson()) return;
    options.err().print("\r" + text + "\033[K\r");
    options.err().flush();
  }

  /** Asks a person; false without one. */
  static boolean confirm(NodeOptions options, String question) {
    options.out().flush();
    return Optional.ofNullable(System.console())
        .filter(Console::isTerminal)
        .map(console -> String.valueOf(console.readLine("%s [y/N] ", question)))
        .filter(answer -> answer.strip().equalsIgnoreCase("y"))
        .isPresent();
  }

  static boolean isTerminal() {
    return Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false);
  }
}
