package org.quorumail.smtp.server;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.quorumail.smtp.ContentSink;
import org.quorumail.smtp.SmtpChannel;

/**
 * Carries content from the connection to the spool, or to where filters read it first. A target
 * that fails does not end the reading: the client is told after its final dot, as RFC 5321 §4.2.5
 * has it.
 */
final class SpoolSink implements ContentSink {
  private final ContentSink target;
  private final SmtpChannel connection;
  private final java.time.Duration blockTimeout;
  private final HeaderScan header = new HeaderScan();
  private final ContentFacts facts = new ContentFacts();
  private @Nullable HeaderCompletion completion;
  private boolean started;
  private boolean failed;

  SpoolSink(ContentSink target, SmtpChannel connection, java.time.Duration blockTimeout) {
    this.target = target;
    this.connection = connection;
    this.blockTimeout = blockTimeout;
  }

  boolean failed() {
    return failed;
  }

  boolean looping() {
    return header.looping();
  }

  ContentFacts facts() {
    return facts;
  }

  boolean eightBitHeader() {
    return header.eightBit();
  }

  /** From now on a header without Date or Message-ID gets these (RFC 6409 §8). */
  void completeHeader(String date, String messageId) {
    completion = new HeaderCompletion(this::keep, date, messageId);
  }

  /** Call after the last octet of the content. */
  void end() {
    if (completion == null || header.looping()) return;
    try {
      completion.finish();
    } catch (IOException e) {
      failed = true;
    }
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    if (!started) { // the first block had the time of data_init
      started = true;
      connection.deadlinePerBlock(blockTimeout);
    }
    header.accept(bytes, offset, length);
    facts.accept(bytes, offset, length);
    if (header.looping()) return;
    if (completion == null) keep(bytes, offset, length);
    else completion.write(bytes, offset, length);
  }

  private void keep(byte[] bytes, int offset, int length) {
    if (failed) return;
    try {
      target.write(bytes, offset, length);
    } catch (IOException e) {
      failed = true;
    }
  }
}
