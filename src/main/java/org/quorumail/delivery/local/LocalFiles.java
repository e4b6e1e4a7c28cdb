package org.quorumail.delivery.local;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.Objects;
import org.quorumail.smtp.Escape;

/** The parts that deliveries to files share. */
final class LocalFiles {
  private LocalFiles() {}

  /** Forces the entries of a directory to disk. */
  static void force(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  static Path parent(Path path) {
    return Objects.requireNonNull(path.getParent(), "a mailbox is never the root");
  }

  /** The outcome of a delivery that the disk or its rights have prevented: the mail waits. */
  static LocalResult notWritten(String target, IOException e) {
    String reason = reason(e);
    String lower = reason.toLowerCase(Locale.ROOT);
    if (lower.contains("quota")) return LocalResult.deferred(2, 2, reason, target);
    if (lower.contains("no space")) return LocalResult.deferred(3, 1, reason, target);
    return LocalResult.deferred(3, 0, "cannot write to the mailbox: " + reason, target);
  }

  static String reason(IOException e) {
    String message = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    boolean bare = e instanceof FileSystemException file && file.getReason() == null;
    String kind = bare ? e.getClass().getSimpleName().replace("Exception", "") + ": " : "";
    String quoted = Escape.quoted(kind + message);
    return quoted.substring(1, quoted.length() - 1);
  }
}
