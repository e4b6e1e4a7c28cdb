package org.quorumail.cli;

/** The exit codes of the program, documented in docs/cli.md. */
public final class ExitCode {
  /** Success. */
  public static final int DONE = 0;

  /** Refused or failed. */
  public static final int FAILED = 1;

  /** Wrong usage or wrong configuration. */
  public static final int USAGE = 2;

  /** There is no such message, node, spool or user. */
  public static final int NOT_FOUND = 3;

  /** The node cannot be reached. */
  public static final int UNREACHABLE = 4;

  private ExitCode() {}
}
