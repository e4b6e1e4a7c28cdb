package org.quorumail.spool;

import java.nio.file.Path;
import org.quorumail.config.Section;

/**
 * {@code [spool]}: the directory of the stores, and the free disk space that mail needs.
 *
 * @param minFree bytes
 */
public record SpoolConfig(Path path, long minFree) {
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
        spool.size("min_free", "1GB", "0B", "1024TB", "free disk below which mail gets 452 4.3.1"));
  }
}
