package org.quorumail;

import org.jspecify.annotations.Nullable;

/** A node that cannot start; the message is one sentence for the operator. */
public final class StartFailure extends Exception {
  private static final long serialVersionUID = 1L;

  private final boolean configuration;

  /** Something outside is in the way: a taken port, a full or damaged disk. */
  StartFailure(String sentence) {
    super(sentence);
    this.configuration = false;
  }

  StartFailure(String sentence, Throwable cause) {
    this(sentence, cause, false);
  }

  private StartFailure(String sentence, @Nullable Throwable cause, boolean configuration) {
    super(sentence, cause);
    this.configuration = configuration;
  }

  /** A key of the configuration, or a file that it names, has to be corrected. */
  static StartFailure ofConfiguration(String sentence, Throwable cause) {
    return new StartFailure(sentence, cause, true);
  }

  static StartFailure ofConfiguration(String sentence) {
    return new StartFailure(sentence, null, true);
  }

  /** Whether to start again without a change of the configuration is of no use. */
  boolean configuration() {
    return configuration;
  }
}
