package org.quorumail.policy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.quorumail.smtp.ContentSink;

/**
 * The content of a message while filters read it: up to 256 KiB in memory, more in a file without a
 * name, so a crash leaves nothing behind. The listener bounds its size by counting the octets it
 * receives. One thread writes the buffer; afterwards several may read it.
 *
 * <p>The file is no channel: an interrupted reader, such as a late filter, would close a channel
 * for all readers.
 */
public final class ContentBuffer implements ContentSink, MessageContent, AutoCloseable {
  /** Equal to the octets that a reception keeps in memory. */
  static final int MAX_IN_MEMORY = 256 * 1024;

  private static final int INITIAL_CAPACITY = 8 * 1024;

  private final Path directory;
  private byte[] memory = new byte[INITIAL_CAPACITY];
  private int inMemory;
  private long size;
  private @Nullable RandomAccessFile file;
  private boolean closed;

  /**
   * @param directory of the files; created when the first file is
   */
  public ContentBuffer(Path directory) {
    this.directory = directory;
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    checkOpen();
    if (file == null && inMemory + length > MAX_IN_MEMORY) spill();
    RandomAccessFile spilled = file;
    if (spilled != null) {
      spilled.write(bytes, offset, length);
    } else {
      if (inMemory + length > memory.length) {
        int grown = Math.max(inMemory + length, memory.length * 2);
        memory = Arrays.copyOf(memory, Math.min(MAX_IN_MEMORY, grown));
      }
      System.arraycopy(bytes, offset, memory, inMemory, length);
      inMemory += length;
    }
    size += length;
    assert file != null ? inFile(size) : inMemory == size
        : "size " + size + " is not what was kept";
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public InputStream open(long from) {
    checkOpen();
    if (from < 0 || from > size) {
      throw new IllegalArgumentException("octet " + from + " of a content of " + size);
    }
    RandomAccessFile spilled = file;
    if (spilled != null) return new FileRangeInput(spilled, from);
    return new ByteArrayInputStream(memory, (int) from, inMemory - (int) from);
  }

  @Override
  public void close() throws IOException {
    closed = true;
    memory = new byte[0];
    inMemory = 0;
    RandomAccessFile spilled = file;
    if (spilled != null) spilled.close();
  }

  private void checkOpen() {
    if (closed) throw new IllegalStateException("the content buffer is closed");
  }

  private boolean inFile(long expected) throws IOException {
    RandomAccessFile spilled = file;
    return spilled != null && spilled.length() == expected;
  }

  private void spill() throws IOException {
    Files.createDirectories(directory);
    Path path = directory.resolve("content-" + UUID.randomUUID());
    RandomAccessFile opened = new RandomAccessFile(path.toFile(), "rw");
    file = opened;
    Files.delete(path); // the file exists as long as it is open
    opened.write(memory, 0, inMemory);
    memory = new byte[0];
  }

  /** An input with its own position, so several readers do not disturb each other. */
  private static final class FileRangeInput extends InputStream {
    private final RandomAccessFile file;
    private long position;

    FileRangeInput(RandomAccessFile file, long position) {
      this.file = file;
      this.position = position;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      synchronized (file) {
        file.seek(position);
        int n = file.read(bytes, offset, length);
        if (n > 0) position += n;
        return n;
      }
    }
  }
}
