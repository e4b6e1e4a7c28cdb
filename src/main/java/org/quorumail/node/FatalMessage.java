package org.quorumail.node;

import java.util.Locale;
import org.quorumail.replication.DamagedStorageException;

/** The final error message of a node that must stop because its log or state has failed. */
public final class FatalMessage {
  private static final int MAX_DEPTH = 20;

  private FatalMessage() {}

  /** Composes the message: the failed part, the reason, and the remedy. */
  public static String of(Throwable failure) {
    Throwable root = failure;
    for (int depth = 0; root.getCause() != null && depth < MAX_DEPTH; depth++) {
      if (root instanceof DamagedStorageException) {
        return root.getMessage()
            + "; the node stops rather than serve it: restore the disk from a copy; what to do"
            + " without one is in docs/troubleshoot.md, \"A disk is lost\"";
      }
      root = root.getCause();
    }
    String failed = text(failure);
    String reason = text(root);
    String both = failed.equals(reason) ? failed : failed + ": " + reason;
    return isFull(reason)
        ? both + "; make room on the disk and start the node again: what it acknowledged is there"
        : both + "; see to the disk and start the node again: what it acknowledged is in the log";
  }

  /** Recognizes the messages of ENOSPC and EDQUOT. */
  private static boolean isFull(String reason) {
    String text = reason.toLowerCase(Locale.ROOT);
    return text.contains("no space left") || text.contains("disk quota");
  }

  private static String text(Throwable t) {
    String message = t.getMessage();
    return message == null || message.isBlank()
        ? t.getClass().getSimpleName()
        : message.replaceAll("\\s+", " ");
  }
}
