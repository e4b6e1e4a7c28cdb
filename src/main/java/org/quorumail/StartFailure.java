package org.quorumail;

/** A node that cannot start; the message is one sentence for the operator. */
public final class StartFailure extends Exception {
  private static final long serialVersionUID = 1L;

  StartFailure(String sentence) {
    super(sentence);
  }

  StartFailure(String sentence, Throwable cause) {
    super(sentence, cause);
  }
}
