package org.quorumail.cluster;

/**
 * The node cannot take part in the cluster as configured; the message is one sentence for the
 * operator.
 */
public final class ClusterFault extends Exception {
  private static final long serialVersionUID = 1L;

  public ClusterFault(String sentence) {
    super(sentence);
  }

  public ClusterFault(String sentence, Throwable cause) {
    super(sentence, cause);
  }
}
