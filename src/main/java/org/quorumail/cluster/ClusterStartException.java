package org.quorumail.cluster;

import org.jspecify.annotations.Nullable;

/**
 * The node cannot take part in the cluster as configured; the message is one sentence for the
 * operator.
 */
public final class ClusterStartException extends Exception {
  private static final long serialVersionUID = 1L;

  private final boolean configuration;

  /** A key of the configuration has to be corrected. */
  public ClusterStartException(String sentence) {
    super(sentence);
    this.configuration = true;
  }

  public ClusterStartException(String sentence, Throwable cause) {
    this(sentence, cause, true);
  }

  private ClusterStartException(String sentence, @Nullable Throwable cause, boolean configuration) {
    super(sentence, cause);
    this.configuration = configuration;
  }

  /** Something outside the configuration is in the way: a taken port, a lost disk. */
  static ClusterStartException ofEnvironment(String sentence, @Nullable Throwable cause) {
    return new ClusterStartException(sentence, cause, false);
  }

  /** Whether the configuration is to blame. */
  public boolean configuration() {
    return configuration;
  }
}
