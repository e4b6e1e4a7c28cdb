package org.quorumail.smtp;

/** A receiver of content, piece by piece; the array is reused after each call. */
@FunctionalInterface
public interface ContentSink {
  void write(byte[] bytes, int offset, int length) throws java.io.IOException;
}
