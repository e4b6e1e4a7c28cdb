package org.quorumail.replication;

import java.io.IOException;

/**
 * Bytes on disk differ from the bytes that were written there. The message names the file and the
 * damage; to continue could lose or falsify acknowledged data.
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
