package org.quorumail.spool;

import java.nio.file.Path;
import java.util.Optional;
import org.quorumail.config.Section;

/**
 * {@code [accounting]}: the file with the events of mail.
 *
 * @param maxSize bytes, after which another file begins
 * @param keep number of former files
 */
public record AccountingConfig(Optional<Path> file, long maxSize, int keep) {
  public static AccountingConfig read(Section accounting) {
    return new AccountingConfig(
        accounting.optional(
            "file",
            "path",
            "(none)",
            "file that gets each event of the mail that this node has accepted, one JSON object a"
                + " line",
            Path::of),
        accounting.size(
            "max_size", "100MB", "64KB", "1TB", "size at which the file is renamed to FILE.1"),
        accounting.integer("keep", 10, 0, 1000, "number of renamed files that are kept"));
  }
}
