package org.quorumail.policy;

import java.io.IOException;
import java.io.InputStream;

/** The header and body of a message, readable any number of times and never whole in memory. */
public interface MessageContent {
  /** Octets. */
  long size();

  /**
   * Opens the content at an octet; the caller closes the stream.
   *
   * @param from 0 to {@link #size}
   */
  InputStream open(long from) throws IOException;

  /** Opens the content at its first octet. */
  default InputStream open() throws IOException {
    return open(0);
  }
}
