package org.quorumail.spool;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.quorumail.mail.QueueId;

/**
 * A message that was accepted under a key, see {@link RequestKey}.
 *
 * @param index of the message in its request
 * @param body the digest of the request
 * @param atMillis the time at which it was accepted
 */
public record AcceptedRequest(int index, QueueId id, String body, long atMillis) {
  /** The time for which a key is known: 24 hours. */
  static final long KEPT_MILLIS = 24L * 3600 * 1000;

  /** The most keys of a spool, 100 MB of rows; the oldest give way. */
  static final long KEPT_MAX = 500_000;

  private static final int VERSION = 41;
  private static final int ROW_BYTES = 100;

  byte[] row() {
    return new ByteWriter(ROW_BYTES)
        .u8(VERSION)
        .i32(index)
        .id(id)
        .i64(atMillis)
        .text(body)
        .finish();
  }

  static AcceptedRequest of(byte[] row) throws IOException {
    ByteReader in = new ByteReader(ByteBuffer.wrap(row), "the row of a request");
    int version = in.u8();
    if (version != VERSION) throw ByteReader.unknown("the row of a request", "version", version);
    int index = in.i32();
    QueueId id = in.id();
    long atMillis = in.i64();
    String body = in.text();
    in.end();
    return new AcceptedRequest(index, id, body, atMillis);
  }
}
