package org.quorumail.policy;

import java.io.IOException;
import java.io.InputStream;

/** A message with its header and body, readable any number of times, never whole in memory. */
public interface MessageContent {
  /** Octets. */
  long size();

  /**
   * Reads from this octet on; the caller closes.
   *
   * @param from 0 to {@link #size}
   */
  InputStream open(long from) throws IOException;

  default InputStream open() throws IOException {
    return open(0);
  }
}
