package org.quorumail.spool;

import java.nio.file.Path;
import java.time.Duration;
import org.quorumail.config.Section;

/**
 * {@code [spool]}: the directory of the stores, the free disk space that mail needs, and the bounds
 * of the events of mail.
 *
 * @param minFree bytes
 * @param eventMaxSize bytes, in each replica
 */
public record SpoolConfig(Path path, long minFree, Duration eventMaxAge, long eventMaxSize) {
  static final Duration EVENT_MAX_AGE = Duration.ofDays(7);
  static final long EVENT_MAX_SIZE = 5L << 30;

  public static SpoolConfig read(Section spool, Path dataDirectory) {
    return new SpoolConfig(
        spool
            .optional(
                "path",
                "path",
                "(spool in the data directory)",
                "directory of the replicated store of accepted mail",
                Path::of)
            .orElse(dataDirectory.resolve("spool")),
        spool.size("min_free", "1GB", "0B", "1024TB", "free disk below which mail gets 452 4.3.1"),
        spool.duration(
            "event_max_age", "7d", "1h", "365d", "time for which events of mail are kept"),
        spool.size(
            "event_max_size",
            "5GB",
            "1MB",
            "1024TB",
            "size of the events of mail in each replica of a spool; older ones are dropped"));
  }
}
