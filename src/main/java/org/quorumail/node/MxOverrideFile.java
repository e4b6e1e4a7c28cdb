package org.quorumail.node;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.quorumail.config.HostPort;
import org.quorumail.config.TextFile;
import org.quorumail.delivery.MxOverrides;
import org.quorumail.replication.DurableFile;

/**
 * The operator's MX overrides of this node, kept in its data directory: one {@code domain
 * host:port} per line. A change is on disk before it is answered. Thread-safe.
 */
public final class MxOverrideFile {
  private static final String FILE = "mx-overrides";
  private static final int SMTP_PORT = 25;

  private final Path file;
  private final MxOverrides overrides = new MxOverrides();

  private MxOverrideFile(Path file) {
    this.file = file;
  }

  public static MxOverrideFile open(Path directory) throws NodeStartException {
    MxOverrideFile stored = new MxOverrideFile(directory.resolve(FILE));
    try {
      if (Files.exists(stored.file)) {
        stored.readLines();
      }
      return stored;
    } catch (IOException e) {
      throw new NodeStartException(
          "%s cannot be read (%s); correct the file, or delete it to drop all overrides"
              .formatted(stored.file, e.getMessage()),
          e);
    }
  }

  /** The overrides as the delivery reads them. */
  public MxOverrides table() {
    return overrides;
  }

  /**
   * Adds or replaces an override.
   *
   * @throws IllegalArgumentException when there are too many
   */
  public synchronized void set(String domain, HostPort host) {
    if (!overrides.set(domain, host)) {
      throw new IllegalArgumentException("more than " + MxOverrides.MAX + " overrides; use routes");
    }
    store();
  }

  /** Removes an override and returns its host; empty when there is none. */
  public synchronized Optional<HostPort> remove(String domain) {
    Optional<HostPort> former = overrides.find(domain);
    if (former.isEmpty() || !overrides.remove(domain)) return Optional.empty();
    store();
    return former;
  }

  private void readLines() throws IOException {
    try (TextFile lines = TextFile.open(file)) {
      for (String line = lines.next(); line != null; line = lines.next()) {
        try {
          readLine(line);
        } catch (IllegalArgumentException e) {
          throw new IOException(lines.place() + ": " + e.getMessage(), e);
        }
      }
    }
  }

  private void readLine(String line) {
    String[] fields = line.split(" ");
    if (fields.length != 2) throw new IllegalArgumentException("not a domain and a host: " + line);
    overrides.set(fields[0], HostPort.parse(fields[1], SMTP_PORT));
  }

  private void store() {
    StringBuilder lines = new StringBuilder();
    overrides.all().forEach((d, host) -> lines.append(d).append(' ').append(host).append('\n'));
    try {
      DurableFile.replace(file, lines.toString().getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new IllegalStateException(file + " cannot be written", e);
    }
  }
}
