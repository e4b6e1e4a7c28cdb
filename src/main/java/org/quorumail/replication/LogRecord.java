package org.quorumail.replication;

import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * A record of a segment of Ratis' log: the entry's length as a varint, the entry (a {@code
 * LogEntryProto}, which begins with term and index), and the CRC-32C of both.
 *
 * @param end the offset behind it
 * @param checksumValid whether the checksum fits
 */
record LogRecord(int offset, int end, long index, boolean checksumValid) {
  private static final int CRC_BYTES = Integer.BYTES;
  private static final int TERM_TAG = 0x08;
  private static final int INDEX_TAG = 0x10;

  /** Two tags and two numbers at least. */
  private static final int LENGTH_MIN = 4;

  /** Above the largest entry that Ratis takes, see {@link PinnedProperties}. */
  private static final int LENGTH_MAX = 2 << 20;

  /** Returns the record that begins here; empty when no record can. */
  static Optional<LogRecord> at(ByteBuffer segment, int offset) {
    Varint length = Varint.at(segment, offset);
    if (length == null || length.value < LENGTH_MIN || length.value > LENGTH_MAX)
      return Optional.empty();
    int entryEnd = length.end + (int) length.value;
    Varint index = index(segment, length.end);
    if (index == null || !endsWithItsPayload(segment, index.end, entryEnd)) return Optional.empty();
    int end = entryEnd + CRC_BYTES;
    boolean whole = end <= segment.limit() && checksumFits(segment, offset, entryEnd);
    return Optional.of(new LogRecord(offset, end, index.value, whole));
  }

  /** The number after the term; protobuf leaves a zero out. */
  private static @Nullable Varint index(ByteBuffer segment, int entry) {
    if (!is(segment, entry, TERM_TAG)) return null;
    Varint term = Varint.at(segment, entry + 1);
    if (term == null) return null;
    if (is(segment, term.end, INDEX_TAG)) return Varint.at(segment, term.end + 1);
    return new Varint(0, term.end);
  }

  /** Returns whether the length agrees with that of the one field after the index. */
  private static boolean endsWithItsPayload(ByteBuffer segment, int field, int entryEnd) {
    if (field == entryEnd) return true;
    if (field + 1 >= segment.limit()) return true; // cut off here: no contradiction
    Varint payload = Varint.at(segment, field + 1);
    return payload == null || payload.end + payload.value == entryEnd;
  }

  private static boolean checksumFits(ByteBuffer segment, int offset, int entryEnd) {
    CRC32C crc = new CRC32C();
    crc.update(segment.duplicate().position(offset).limit(entryEnd));
    return (int) crc.getValue() == segment.getInt(entryEnd);
  }

  private static boolean is(ByteBuffer segment, int offset, int tag) {
    return offset < segment.limit() && segment.get(offset) == tag;
  }

  /** A number in groups of seven bits, lowest first, as protobuf writes it. */
  private record Varint(long value, int end) {
    static @Nullable Varint at(ByteBuffer segment, int offset) {
      long value = 0;
      for (int i = 0; i < 10 && offset + i < segment.limit(); i++) {
        byte b = segment.get(offset + i);
        value |= (long) (b & 0x7f) << (7 * i);
        if (b >= 0) return new Varint(value, offset + i + 1);
      }
      return null;
    }
  }
}
