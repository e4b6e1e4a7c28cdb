package org.quorumail.cli;

import java.io.Console;
import java.util.Optional;

/** The terminal of the user, if the output goes to one. */
final class Terminal {
  /** Moves to the first line and erases the screen below, without flicker. */
  static final String CLEAR_SCREEN = "\033[H\033[J";

  private Terminal() {}

  static boolean isTerminal() {
    return Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false);
  }
}
