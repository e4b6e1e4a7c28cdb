package org.quorumail.smtp;

/** Takes the content piece by piece; the array is reused after the call. */
@FunctionalInterface
public interface ContentSink {
  void write(byte[] bytes, int offset, int length) throws java.io.IOException;
}
