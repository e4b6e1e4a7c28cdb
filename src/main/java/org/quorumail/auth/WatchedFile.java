package org.quorumail.auth;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a file says, read again when the file has changed. A changed file that cannot be used is
 * told once in the log, and what was read before goes on counting.
 */
final class WatchedFile<T> {
  private static final Logger LOG = LoggerFactory.getLogger(WatchedFile.class);
  private static final long LOOK_EVERY = 1_000_000_000L; // ns; a stat per login would do no harm

  private final Path file;
  private final long maxSize;
  private final String key;
  private final Reader<T> reader;
  private final Optional<T> whenMissing;
  private volatile State<T> state;
  private long lookedAt = System.nanoTime();

  /** Makes the value from the file's text; the exception is one sentence. */
  interface Reader<T> {
    T read(Path file, String text) throws IOException;
  }

  /** A replaced file has another key (inode), an edited one another time or size. */
  private record Version(@Nullable Object fileKey, FileTime modified, long size) {}

  private static final Version MISSING = new Version(null, FileTime.fromMillis(0), -1);

  private record State<T>(Version version, T value) {}

  /**
   * @param key the configuration's name of the file, for sentences
   * @param whenMissing what counts while there is no file; empty: that is an error
   * @throws IOException with one sentence when it cannot be read at all
   */
  WatchedFile(Path file, long maxSize, String key, Optional<T> whenMissing, Reader<T> reader)
      throws IOException {
    this.file = file;
    this.maxSize = maxSize;
    this.key = key;
    this.reader = reader;
    this.whenMissing = whenMissing;
    this.state = read();
  }

  T current() {
    look();
    return state.value();
  }

  private synchronized void look() {
    long now = System.nanoTime();
    if (now - lookedAt < LOOK_EVERY) return;
    lookedAt = now;
    State<T> old = state;
    Version version = null;
    try {
      version = version();
      if (version.equals(old.version())) return;
      state = read();
      LOG.info("event=file_reread key={} file={}", key, file);
    } catch (IOException e) {
      boolean told = version == null;
      if (version != null) state = new State<>(version, old.value());
      if (told) LOG.debug("event=file_unreadable reason=\"{}\"", e.getMessage());
      else LOG.error("event=file_unusable still_counts=former reason=\"{}\"", e.getMessage());
    }
  }

  private State<T> read() throws IOException {
    Version version;
    String text;
    try {
      version = version();
      if (version.equals(MISSING) && whenMissing.isPresent()) {
        return new State<>(MISSING, whenMissing.get());
      }
      if (version.size() > maxSize) {
        throw new IOException(key + ": " + file + " is larger than " + maxSize + " bytes");
      }
      text = Files.readString(file, StandardCharsets.UTF_8);
    } catch (NoSuchFileException e) {
      throw new IOException(key + ": there is no file " + file, e);
    } catch (java.nio.charset.CharacterCodingException e) {
      throw new IOException(key + ": " + file + " is not written in UTF-8", e);
    } catch (java.nio.file.FileSystemException e) {
      throw new IOException(key + ": " + file + " cannot be read: " + e.getReason(), e);
    }
    return new State<>(version, Objects.requireNonNull(reader.read(file, text)));
  }

  private Version version() throws IOException {
    if (whenMissing.isPresent() && Files.notExists(file)) return MISSING;
    BasicFileAttributes a = Files.readAttributes(file, BasicFileAttributes.class);
    return new Version(a.fileKey(), a.lastModifiedTime(), a.size());
  }
}
