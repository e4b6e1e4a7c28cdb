package org.quorumail.policy;

import java.io.ByteArrayInputStream;
import java.io.InputStream;

/** A short content that is held in memory. */
record InMemoryContent(byte[] bytes) implements MessageContent {
  @Override
  public long size() {
    return bytes.length;
  }

  @Override
  public InputStream open(long from) {
    return new ByteArrayInputStream(bytes, (int) from, bytes.length - (int) from);
  }
}
