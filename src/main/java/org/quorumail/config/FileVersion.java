package org.quorumail.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import org.jspecify.annotations.Nullable;

/**
 * A version of a file: a new file has another key (inode), an edited one another time or size.
 *
 * @param fileKey null where the file system has none
 * @param size -1 when there is no file
 */
public record FileVersion(@Nullable Object fileKey, FileTime modified, long size) {
  public static final FileVersion MISSING = new FileVersion(null, FileTime.fromMillis(0), -1);

  public static FileVersion of(Path file) throws IOException {
    BasicFileAttributes a = Files.readAttributes(file, BasicFileAttributes.class);
    return new FileVersion(a.fileKey(), a.lastModifiedTime(), a.size());
  }

  /** The version of a file that may be missing or unreadable, which are one. */
  public static FileVersion ofOptional(Path file) {
    try {
      return of(file);
    } catch (IOException e) {
      return MISSING;
    }
  }
}
