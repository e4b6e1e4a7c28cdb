package org.quorumail.spool;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file that only takes up space. The node deletes it when the disk is full, and so has room to
 * open its stores, to record what it delivers, and to shorten its log. Used by one thread at a
 * time.
 */
final class Ballast {
  private static final Logger LOG = LoggerFactory.getLogger(Ballast.class);

  static final String FILE = "ballast";

  /** The unflushed writes of all stores, twice, see {@link StoreMemory}. */
  private static final long BYTES_MAX = 128L << 20;

  private static final int WRITE_STEP = 1 << 20;
  private static final int OWNER_ONLY = 0x180; // 0600

  private final Path file;
  private final long bytes;
  private boolean held;

  /**
   * @param minFree the free space that mail needs; half of it at most is ballast
   */
  Ballast(Path directory, long minFree) {
    this.file = directory.resolve(FILE);
    this.bytes = Math.min(minFree / 2, BYTES_MAX);
    this.held = bytes > 0 && sizeOnDisk() == bytes;
  }

  long bytes() {
    return bytes;
  }

  /** The bytes that the file has at the moment: all or none. */
  long heldBytes() {
    return held ? bytes : 0;
  }

  boolean isMissing() {
    return !held && bytes > 0;
  }

  /** Deletes the file; its space is free after the return. */
  void release() {
    if (!held) return;
    try {
      Files.deleteIfExists(file);
      held = false;
      LOG.warn("event=ballast_released path={} bytes={}", file, bytes);
    } catch (IOException e) {
      LOG.warn("event=ballast_failed path={} reason=\"{}\"", file, e.toString());
    }
  }

  /** Creates the file. The caller has checked that there is room. */
  void restore() {
    if (!isMissing()) return;
    try {
      Files.deleteIfExists(file);
      if (!reserve(file, bytes)) write(file, bytes);
      held = sizeOnDisk() == bytes;
      LOG.info("event=ballast_restored path={} bytes={}", file, bytes);
    } catch (IOException e) {
      LOG.warn("event=ballast_failed path={} reason=\"{}\"", file, e.toString());
      deleteQuietly();
    }
  }

  private long sizeOnDisk() {
    try {
      return Files.size(file);
    } catch (IOException e) {
      return 0; // there is none
    }
  }

  private void deleteQuietly() {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      LOG.debug("event=ballast_left path={} reason=\"{}\"", file, e.toString());
    }
  }

  /** Reserves the blocks without writing them; false where the system cannot do that. */
  @SuppressWarnings("restricted") // the node is started with native access, as RocksDB needs it
  private static boolean reserve(Path file, long bytes) {
    Linker linker = Linker.nativeLinker();
    SymbolLookup libc = linker.defaultLookup();
    var creat = libc.find("creat");
    var allocate = libc.find("posix_fallocate");
    var close = libc.find("close");
    if (creat.isEmpty() || allocate.isEmpty() || close.isEmpty()) return false;
    try (Arena arena = Arena.ofConfined()) {
      MethodHandle creating = linker.downcallHandle(creat.get(), ints(ADDRESS, JAVA_INT));
      MethodHandle allocating =
          linker.downcallHandle(allocate.get(), ints(JAVA_INT, JAVA_LONG, JAVA_LONG));
      MethodHandle closing = linker.downcallHandle(close.get(), ints(JAVA_INT));
      int descriptor = (int) creating.invoke(arena.allocateFrom(file.toString()), OWNER_ONLY);
      if (descriptor < 0) return false;
      int error = (int) allocating.invoke(descriptor, 0L, bytes);
      int closed = (int) closing.invoke(descriptor);
      return error == 0 && closed == 0;
    } catch (Throwable e) {
      LOG.debug("event=ballast_written path={} reason=\"{}\"", file, e.toString());
      return false;
    }
  }

  private static FunctionDescriptor ints(MemoryLayout... arguments) {
    return FunctionDescriptor.of(JAVA_INT, arguments);
  }

  private static void write(Path file, long bytes) throws IOException {
    try (FileChannel out =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      ByteBuffer zeros = ByteBuffer.allocate(WRITE_STEP);
      for (long left = bytes; left > 0; ) {
        left -= out.write(zeros.clear().limit((int) Math.min(WRITE_STEP, left)));
      }
    }
  }
}
