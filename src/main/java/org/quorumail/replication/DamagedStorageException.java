package org.quorumail.replication;

import java.io.IOException;

/**
 * What is on disk is not what was written there. The message names the file and the damage; going
 * on could lose or falsify what was acknowledged.
 */
public final class DamagedStorageException extends IOException {
  private static final long serialVersionUID = 1L;

  public DamagedStorageException(String message) {
    super(message);
  }

  public DamagedStorageException(String message, Throwable cause) {
    super(message, cause);
  }
}
