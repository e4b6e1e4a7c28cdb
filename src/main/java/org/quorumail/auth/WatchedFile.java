package org.quorumail.auth;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import org.quorumail.config.FileVersion;
import org.quorumail.config.TextFile;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file whose parsed value is reloaded when the file changes. A changed file that cannot be used
 * is logged once, and the former value stays in force.
 */
final class WatchedFile<T> {
  private static final Logger LOG = LoggerFactory.getLogger(WatchedFile.class);
  private static final long CHECK_INTERVAL_NANOS =
      1_000_000_000L; // one second; a stat for each login would be cheap too

  private final Path file;
  private final long maxSize;
  private final String key;
  private final FileParser<T> parser;
  private final Optional<T> valueIfMissing;
  private volatile LoadedFile<T> state;
  private long checkedAtNanos = System.nanoTime();

  /** Makes the value from the file's text; the exception's message is one sentence. */
  interface FileParser<T> {
    T parse(Path file, String text) throws IOException;
  }

  private record LoadedFile<T>(FileVersion version, T value) {}

  /**
   * Loads the file.
   *
   * @param key the configuration's name of the file, for errors
   * @param valueIfMissing value while there is no file; empty: a missing file is an error
   * @throws IOException with one sentence when the file cannot be used
   */
  WatchedFile(Path file, long maxSize, String key, Optional<T> valueIfMissing, FileParser<T> parser)
      throws IOException {
    this.file = file;
    this.maxSize = maxSize;
    this.key = key;
    this.parser = parser;
    this.valueIfMissing = valueIfMissing;
    this.state = load();
  }

  T current() {
    reloadIfChanged();
    return state.value();
  }

  private synchronized void reloadIfChanged() {
    long now = System.nanoTime();
    if (now - checkedAtNanos < CHECK_INTERVAL_NANOS) return;
    checkedAtNanos = now;
    LoadedFile<T> old = state;
    FileVersion version = null;
    try {
      version = version();
      if (version.equals(old.version())) return;
      state = load();
      LOG.info("event=file_reloaded key={} file={}", key, file);
    } catch (IOException e) {
      boolean unreadable = version == null;
      if (version != null) state = new LoadedFile<>(version, old.value());
      if (unreadable)
        LOG.debug("event=file_unreadable file={} reason=\"{}\"", file, e.getMessage());
      else LOG.error("event=file_unusable kept=former_value reason=\"{}\"", e.getMessage());
    }
  }

  private LoadedFile<T> load() throws IOException {
    FileVersion version;
    String text;
    try {
      version = version();
      if (version.equals(FileVersion.MISSING) && valueIfMissing.isPresent()) {
        return new LoadedFile<>(FileVersion.MISSING, valueIfMissing.get());
      }
      text = TextFile.read(file, maxSize);
    } catch (NoSuchFileException e) {
      throw new IOException(key + ": there is no file " + file, e);
    } catch (java.nio.file.FileSystemException e) {
      throw new IOException(key + ": " + file + " cannot be read: " + e.getReason(), e);
    } catch (IOException e) {
      throw new IOException(key + ": " + e.getMessage(), e);
    }
    return new LoadedFile<>(version, Objects.requireNonNull(parser.parse(file, text)));
  }

  private FileVersion version() throws IOException {
    if (valueIfMissing.isPresent() && Files.notExists(file)) return FileVersion.MISSING;
    return FileVersion.of(file);
  }
}
