package org.quorumail.spool;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.quorumail.mail.QueueId;
import org.quorumail.spool.OwnedSpool.DueRow;

/**
 * The keys of the store's rows. Ids and times are big-endian and not negative, so keys sort as they
 * do. A name in a key ends with a zero byte, so that no name is a prefix of another name's rows.
 */
final class RowKeys {
  static final byte[] APPLIED = {'a'};
  static final byte[] COUNTERS = {'c'};

  /** There once the spool accepts nothing any more. */
  static final byte[] CLOSED = {'e'};

  /**
   * The due time of a held message, after all others. Its rows stay, so that its domain still finds
   * it.
   */
  static final long NEVER = Long.MAX_VALUE;

  /** The number of requests that are known. */
  static final byte[] REQUEST_COUNT = {'n'};

  private static final byte UPLOAD = 'u';
  private static final byte REQUEST = 'k';
  private static final byte REQUEST_TIME = 't';
  private static final byte SENDER = 's';
  private static final byte HELD = 'h';
  private static final byte RETRY = 'r';
  private static final int END = 0;
  private static final int AFTER_END = 1;

  private RowKeys() {}

  static byte[] message(QueueId id) {
    return new ByteWriter(QueueId.BYTES).id(id).finish();
  }

  static byte[] chunk(QueueId id, int number) {
    return new ByteWriter(QueueId.BYTES + 4).id(id).i32(number).finish();
  }

  static byte[] upload(QueueId id) {
    return prefixed(UPLOAD, id);
  }

  static byte[] uploadPrefix() {
    return new byte[] {UPLOAD};
  }

  static byte[] request(String request, int index) {
    return new ByteWriter(RequestKey.LENGTH + 5).u8(REQUEST).name(request).i32(index).finish();
  }

  /** The prefix of the rows of a request; of all requests when it is empty. */
  static byte[] requestPrefix(String request) {
    return new ByteWriter(RequestKey.LENGTH + 1).u8(REQUEST).name(request).finish();
  }

  /** The row by which the oldest requests are found; its rest is the key of the request's row. */
  static byte[] requestTime(long atMillis, byte[] requestRow) {
    return new ByteWriter(requestRow.length + 9)
        .u8(REQUEST_TIME)
        .i64(Math.max(0, atMillis))
        .raw(requestRow, 0, requestRow.length)
        .finish();
  }

  static byte[] requestTimePrefix() {
    return new byte[] {REQUEST_TIME};
  }

  static long requestTime(byte[] timeRow) {
    return ByteBuffer.wrap(timeRow).getLong(1);
  }

  /** The key of the row of the request that a row by time names. */
  static byte[] requestOfTime(byte[] timeRow) {
    return Arrays.copyOfRange(timeRow, 9, timeRow.length);
  }

  static byte[] due(String domain, long dueMillis, QueueId id) {
    return startWithName(domain, QueueId.BYTES + 9)
        .u8(END)
        .i64(Math.max(0, dueMillis))
        .id(id)
        .finish();
  }

  /** Before all rows of the domain. */
  static byte[] duePrefix(String domain) {
    return startWithName(domain, 1).u8(END).finish();
  }

  /** After all rows of the domain, before those of the next. */
  static byte[] afterDomain(String domain) {
    return startWithName(domain, 1).u8(AFTER_END).finish();
  }

  /** The domain of {@link #duePrefix}. */
  static String domainOfPrefix(byte[] dueOf) {
    return new String(dueOf, 0, dueOf.length - 1, StandardCharsets.UTF_8);
  }

  static DueRow dueRow(byte[] key) {
    int end = key.length - QueueId.BYTES - 9;
    String domain = new String(key, 0, end, StandardCharsets.UTF_8);
    return new DueRow(domain, ByteBuffer.wrap(key).getLong(end + 1), trailingId(key));
  }

  static byte[] sender(String reversePath, QueueId id) {
    return startWithName(reversePath, QueueId.BYTES + 2, SENDER).u8(END).id(id).finish();
  }

  /** Returns the prefix of the keys of all senders that begin so. */
  static byte[] senderPrefix(String prefix) {
    return startWithName(prefix, 1, SENDER).finish();
  }

  /** Whether the sender of a key of {@link #sender} begins with a text; case does not count. */
  static boolean senderBegins(byte[] key, String prefix) {
    int length = key.length - QueueId.BYTES - 2; // kind before the sender, END after it
    String sender = new String(key, 1, Math.max(0, length), StandardCharsets.UTF_8);
    return sender.regionMatches(true, 0, prefix, 0, prefix.length());
  }

  static byte[] status(MessageStatus status, QueueId id) {
    return prefixed(code(status), id);
  }

  static byte[] statusPrefix(MessageStatus status) {
    return new byte[] {code(status)};
  }

  /** Returns the id at the end of a key; every key has it but that of a chunk. */
  static QueueId trailingId(byte[] key) {
    ByteBuffer in = ByteBuffer.wrap(key);
    int at = key.length - QueueId.BYTES;
    return new QueueId(in.getLong(at), in.getLong(at + 8));
  }

  /** Returns the id of the message or upload that a chunk belongs to. */
  static QueueId chunkId(byte[] key) {
    ByteBuffer in = ByteBuffer.wrap(key);
    return new QueueId(in.getLong(0), in.getLong(8));
  }

  static boolean startsWith(byte[] key, byte[] prefix) {
    return key.length >= prefix.length
        && ByteBuffer.wrap(key, 0, prefix.length).equals(ByteBuffer.wrap(prefix));
  }

  private static byte code(MessageStatus status) {
    return switch (status) {
      case HELD -> HELD;
      case RETRY -> RETRY;
      case PENDING -> throw new IllegalArgumentException("pending messages have no status rows");
    };
  }

  private static byte[] prefixed(byte prefix, QueueId id) {
    return new ByteWriter(QueueId.BYTES + 1).u8(prefix).id(id).finish();
  }

  private static ByteWriter startWithName(String name, int more, int... before) {
    ByteWriter out = new ByteWriter(name.length() + more + before.length);
    for (int b : before) out.u8(b);
    return out.name(name.indexOf(0) < 0 ? name : name.replace('\0', '?'));
  }
}
