package org.quorumail.cluster;

import org.jspecify.annotations.Nullable;

/**
 * The failure of a node to take part in the cluster. The message is one sentence for the operator.
 */
public final class ClusterStartException extends Exception {
  private static final long serialVersionUID = 1L;

  private final boolean configuration;

  /** A fault of the configuration: a key has to be corrected. */
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

  /** A fault outside the configuration: a taken port, a lost disk. */
  public static ClusterStartException ofEnvironment(String sentence, @Nullable Throwable cause) {
    return new ClusterStartException(sentence, cause, false);
  }

  /** Reports whether the configuration is at fault. */
  public boolean configuration() {
    return configuration;
  }
}
