package org.quorumail.spool;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.QueueId;

/**
 * The keys of the rows of events. Each begins with the segment in which it was written, so that a
 * segment is one range of keys: it is dropped as a range, and its files as a whole. In a segment
 * there is first its own row, then the events in the order of their entries, then the postings,
 * each with a hash of what it finds.
 */
final class EventKeys {
  private static final byte SEGMENT = 0;
  private static final byte EVENTS = 1;
  private static final byte POSTING = 2;
  private static final int KIND = Integer.BYTES;

  private static final long FNV_OFFSET = 0xCBF29CE484222325L;
  private static final long FNV_PRIME = 0x100000001B3L;

  private EventKeys() {}

  /** The first key of a segment: its row. */
  static byte[] segment(int segment) {
    return ByteBuffer.allocate(5).putInt(segment).put(SEGMENT).array();
  }

  static byte[] events(int segment, long entry) {
    return ByteBuffer.allocate(13).putInt(segment).put(EVENTS).putLong(entry).array();
  }

  static byte[] posting(int segment, long hash, long entry) {
    return postings(21, segment, hash).putLong(entry).array();
  }

  /** The beginning of the postings of a hash. */
  static byte[] postings(int segment, long hash) {
    return postings(13, segment, hash).array();
  }

  private static ByteBuffer postings(int bytes, int segment, long hash) {
    return ByteBuffer.allocate(bytes).putInt(segment).put(POSTING).putLong(hash);
  }

  static int segmentOf(byte[] key) {
    return ByteBuffer.wrap(key).getInt();
  }

  static boolean isEvents(byte[] key) {
    return key[KIND] == EVENTS;
  }

  static boolean isPosting(byte[] key) {
    return key[KIND] == POSTING;
  }

  /** The index of the entry, of the key of events or a posting. */
  static long entry(byte[] key) {
    return ByteBuffer.wrap(key).getLong(key.length - Long.BYTES);
  }

  static long ofId(QueueId id) {
    return id.low() ^ Long.rotateLeft(id.high(), 32);
  }

  static long ofSender(String address) {
    return hash('s', normal(address));
  }

  static long ofRecipient(String address) {
    return hash('r', normal(address));
  }

  static long ofMessageId(String messageId) {
    return hash('m', messageId);
  }

  /** The form in which addresses are compared. */
  static String normal(String address) {
    return address.isEmpty() ? "" : MailAddress.of(address).lookupKey();
  }

  /** FNV-1a. Two texts may have one hash: a reader compares the texts themselves. */
  private static long hash(char kind, String text) {
    long hash = (FNV_OFFSET ^ kind) * FNV_PRIME;
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) hash = (hash ^ (b & 0xFF)) * FNV_PRIME;
    return hash;
  }
}
