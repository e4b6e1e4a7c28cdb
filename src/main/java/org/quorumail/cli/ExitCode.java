package org.quorumail.cli;

/** What the program's exit tells a script. */
public final class ExitCode {
  public static final int DONE = 0;

  /** Refused or failed. */
  public static final int FAILED = 1;

  /** Wrong usage or wrong configuration. */
  public static final int USAGE = 2;

  /** No such message, node, spool. */
  public static final int NOT_FOUND = 3;

  /** The node could not be reached. */
  public static final int UNREACHABLE = 4;

  private ExitCode() {}
}
