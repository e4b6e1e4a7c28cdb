package org.quorumail.node;

import org.jspecify.annotations.Nullable;

/** The failure of a node to start; the message is one sentence for the operator. */
public final class NodeStartException extends Exception {
  private static final long serialVersionUID = 1L;

  private final boolean configuration;

  /** A fault outside the configuration: a taken port, a full or damaged disk. */
  NodeStartException(String sentence) {
    super(sentence);
    this.configuration = false;
  }

  public NodeStartException(String sentence, Throwable cause) {
    this(sentence, cause, false);
  }

  private NodeStartException(String sentence, @Nullable Throwable cause, boolean configuration) {
    super(sentence, cause);
    this.configuration = configuration;
  }

  /** A fault of the configuration: a key, or a file that it names, has to be corrected. */
  public static NodeStartException ofConfiguration(String sentence, Throwable cause) {
    return new NodeStartException(sentence, cause, true);
  }

  static NodeStartException ofConfiguration(String sentence) {
    return new NodeStartException(sentence, null, true);
  }

  /** Reports whether another start without a change of the configuration is of no use. */
  public boolean configuration() {
    return configuration;
  }
}
