package org.quorumail.dns;

import java.nio.file.Path;
import org.quorumail.config.FileVersion;

/**
 * A file of the operating system that others rewrite while the node runs (DHCP, a VPN, an
 * operator). Thread-safe.
 */
final class SystemFile {
  /** One stat in this time, however many lookups there are. */
  private static final long CHECK_INTERVAL_NANOS = 1_000_000_000L;

  private final Path path;
  private FileVersion version;
  private volatile long checkedAtNanos;

  SystemFile(Path path) {
    this.path = path;
    this.version = FileVersion.ofOptional(path);
    this.checkedAtNanos = System.nanoTime();
  }

  Path path() {
    return path;
  }

  /** Returns whether the file has changed since the last call that returned true. */
  boolean hasChanged() {
    if (System.nanoTime() - checkedAtNanos < CHECK_INTERVAL_NANOS) return false;
    return check();
  }

  private synchronized boolean check() {
    checkedAtNanos = System.nanoTime();
    FileVersion now = FileVersion.ofOptional(path);
    boolean changed = !now.equals(version);
    version = now;
    return changed;
  }
}
