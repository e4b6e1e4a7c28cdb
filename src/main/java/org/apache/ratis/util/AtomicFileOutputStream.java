package org.apache.ratis.util;

import java.io.File;
import java.io.FileOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * Quorumail's replacement for the class of the same name in ratis-common: a file that appears under
 * its name only when it is complete, <em>and whose name is on disk when {@link #close}
 * returns</em>.
 *
 * <p>Ratis writes its term and vote ({@code raft-meta}) through this class. Its own version forces
 * the file, renames it and stops there; after a power cut the directory can still hold the old
 * name, so the old term and vote come back and the node can vote twice in one term: two leaders,
 * and acknowledged mail lost. This version also forces the directory. It must stand before
 * ratis-common on the class path; {@code RaftNode} refuses to start when it does not.
 */
public final class AtomicFileOutputStream extends FilterOutputStream {
  public static final String TMP_EXTENSION = ".tmp";

  private static final Map<Path, Consumer<IOException>> WATCHERS = new ConcurrentHashMap<>();

  private final Path target;
  private final Path temporary;
  private final FileOutputStream file;
  private boolean closed;

  public AtomicFileOutputStream(File target) throws IOException {
    this(target, getTemporaryFile(target));
  }

  public AtomicFileOutputStream(File target, File temporary) throws IOException {
    this(target, temporary, open(target, temporary));
  }

  private AtomicFileOutputStream(File target, File temporary, FileOutputStream file) {
    super(file);
    this.target = target.toPath().toAbsolutePath();
    this.temporary = temporary.toPath().toAbsolutePath();
    this.file = file;
  }

  /** Called by Ratis. */
  public static File getTemporaryFile(File target) {
    return new File(target.getParentFile(), target.getName() + TMP_EXTENSION);
  }

  /**
   * Hears of every failed write below the directory. A vote that could not be written must end the
   * process: the page that failed may be marked clean, so that a second force would lie.
   */
  public static void watch(Path directory, Consumer<IOException> onFailure) {
    WATCHERS.put(directory.toAbsolutePath().normalize(), onFailure);
  }

  public static void unwatch(Path directory) {
    WATCHERS.remove(directory.toAbsolutePath().normalize());
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    out.write(bytes, offset, length);
  }

  /** Called by Ratis. */
  public synchronized boolean isClosed() {
    return closed;
  }

  /** Forces the content, gives it its name, and forces the name. */
  @Override
  public synchronized void close() throws IOException {
    if (closed) return;
    closed = true;
    try {
      file.close();
      force(temporary);
      Files.move(
          temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      force(target.getParent());
    } catch (IOException e) {
      discard(e);
      report(target, e);
      throw e;
    }
  }

  /** Gives up: the target stays what it was. Called by Ratis. */
  public synchronized void abort() {
    if (closed) return;
    closed = true;
    discard(null);
  }

  /**
   * Forces a file, or a directory, that is, the names in it. An interrupt closes the channel before
   * or during the force; Ratis interrupts an election that writes its vote. That is no failed disk:
   * it is opened and forced again, and the interrupt kept for who waits for it.
   */
  private static void force(Path path) throws IOException {
    boolean interrupted = false;
    try {
      while (true) {
        interrupted |= Thread.interrupted();
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
          channel.force(true);
          return;
        } catch (ClosedByInterruptException e) {
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) Thread.currentThread().interrupt();
    }
  }

  private static FileOutputStream open(File target, File temporary) throws IOException {
    try {
      return new FileOutputStream(temporary);
    } catch (IOException e) {
      report(target.toPath().toAbsolutePath(), e);
      throw e;
    }
  }

  private void discard(IOException because) {
    try {
      file.close();
      Files.deleteIfExists(temporary);
    } catch (IOException e) {
      if (because != null) because.addSuppressed(e);
    }
  }

  private static void report(Path target, IOException failure) {
    WATCHERS.forEach(
        (directory, watcher) -> {
          if (target.normalize().startsWith(directory)) watcher.accept(failure);
        });
  }
}
