package org.quorumail.replication;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;

/**
 * The record of the last index of a group's log that is known to be forced to disk. The file {@code
 * forced} lies in the group's directory and fits into one sector, which a power cut leaves old or
 * new. It is written once a second while the log grows, not for each batch: entries up to the index
 * were acknowledged, while later ones may or may not have been.
 *
 * <p>The file has a version, the index and the CRC-32C of both.
 */
final class ForcedPosition {
  /** No index is known: everything may have been acknowledged. */
  static final long UNKNOWN = Long.MAX_VALUE;

  private static final String FILE = "forced";
  private static final int VERSION = 1;
  private static final int BYTES = Integer.BYTES + Long.BYTES + Integer.BYTES;

  private final Path file;
  private long written = UNKNOWN;

  /**
   * @param directory of the group
   */
  ForcedPosition(Path directory) {
    this.file = directory.resolve(FILE);
  }

  /** Returns the recorded index; {@link #UNKNOWN} without a record that can be read. */
  long read() throws IOException {
    if (!Files.exists(file)) return UNKNOWN;
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file));
    if (bytes.limit() != BYTES || bytes.getInt(0) != VERSION) return UNKNOWN;
    if (bytes.getInt(BYTES - Integer.BYTES) != checksum(bytes)) return UNKNOWN;
    return bytes.getLong(Integer.BYTES);
  }

  /** Records an index that is forced; does nothing when it is recorded already. */
  void write(long index) throws IOException {
    if (index == written) return;
    ByteBuffer bytes = ByteBuffer.allocate(BYTES).putInt(VERSION).putLong(index);
    bytes.putInt(checksum(bytes)).flip();
    boolean isNew = !Files.exists(file);
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      while (bytes.hasRemaining()) channel.write(bytes);
      channel.force(false);
    }
    if (isNew) DurableFile.forceDirectory(file.resolveSibling("."));
    written = index;
  }

  private static int checksum(ByteBuffer bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes.duplicate().position(0).limit(BYTES - Integer.BYTES));
    return (int) crc.getValue();
  }
}
