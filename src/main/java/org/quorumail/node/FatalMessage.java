package org.quorumail.node;

import java.util.Locale;
import org.quorumail.replication.DamagedStorageException;

/** The sentence with which a node ends whose log or state has failed. */
public final class FatalMessage {
  private static final int MAX_DEPTH = 20;

  private FatalMessage() {}

  /** What has failed, why, and what the operator can do. */
  public static String of(Throwable failure) {
    Throwable root = failure;
    for (int depth = 0; root.getCause() != null && depth < MAX_DEPTH; depth++) {
      if (root instanceof DamagedStorageException) {
        return root.getMessage()
            + "; the node ends rather than serve it: restore the disk from a copy; what to do"
            + " without one is in docs/troubleshoot.md, \"A disk is lost\"";
      }
      root = root.getCause();
    }
    String what = text(failure);
    String why = text(root);
    String both = what.equals(why) ? what : what + ": " + why;
    return isFull(why)
        ? both + "; make room on the disk and start the node again: what it acknowledged is there"
        : both + "; see to the disk and start the node again: what it acknowledged is in the log";
  }

  /** The words of ENOSPC and EDQUOT. */
  private static boolean isFull(String why) {
    String text = why.toLowerCase(Locale.ROOT);
    return text.contains("no space left") || text.contains("disk quota");
  }

  private static String text(Throwable t) {
    String message = t.getMessage();
    return message == null || message.isBlank()
        ? t.getClass().getSimpleName()
        : message.replaceAll("\\s+", " ");
  }
}
