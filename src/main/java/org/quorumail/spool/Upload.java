package org.quorumail.spool;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * An unfinished upload: chunks that no message has claimed.
 *
 * @param lastMillis the time at which the last chunk was sent
 */
record Upload(int chunks, long bytes, long lastMillis) {
  static final Upload NONE = new Upload(0, 0, 0);

  byte[] row() {
    return new ByteWriter(20).i32(chunks).i64(bytes).i64(lastMillis).finish();
  }

  static Upload of(byte[] row) throws IOException {
    ByteReader in = new ByteReader(ByteBuffer.wrap(row), "the row of an upload");
    return new Upload(in.i32(), in.i64(), in.i64());
  }
}
