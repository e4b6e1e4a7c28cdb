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
 * A message while filters look at it: up to 256 KiB in memory, more in a file that has no name any
 * more, so that nothing is left after a crash. Its size is bounded by the listener's, which counts
 * what comes in. Written by one thread, then read.
 *
 * <p>Not a channel: an interrupted reader, such as a filter that was late, would close it for all.
 */
public final class ContentBuffer implements ContentSink, MessageContent, AutoCloseable {
  /** As much as a reception keeps in memory. */
  static final int MAX_IN_MEMORY = 256 * 1024;

  private static final int INITIAL_CAPACITY = 8 * 1024;

  private final Path directory;
  private byte[] memory = new byte[INITIAL_CAPACITY];
  private int inMemory;
  private long size;
  private @Nullable RandomAccessFile file;

  /**
   * @param directory of the files, created if need be
   */
  public ContentBuffer(Path directory) {
    this.directory = directory;
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
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
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public InputStream open(long from) {
    RandomAccessFile spilled = file;
    if (spilled != null) return new FileRangeInput(spilled, from);
    return new ByteArrayInputStream(memory, (int) from, inMemory - (int) from);
  }

  @Override
  public void close() throws IOException {
    memory = new byte[0];
    inMemory = 0;
    RandomAccessFile spilled = file;
    if (spilled != null) spilled.close();
  }

  private void spill() throws IOException {
    Files.createDirectories(directory);
    Path path = directory.resolve("content-" + UUID.randomUUID());
    RandomAccessFile opened = new RandomAccessFile(path.toFile(), "rw");
    file = opened;
    Files.delete(path); // the file lives as long as it is open
    opened.write(memory, 0, inMemory);
    memory = new byte[0];
  }

  /** Reads at its own place, so that several readers do not disturb each other. */
  private static final class FileRangeInput extends InputStream {
    private final RandomAccessFile file;
    private long position;

    FileRangeInput(RandomAccessFile file, long at) {
      this.file = file;
      this.position = at;
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
