package org.quorumail.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.Set;

/**
 * The exposure of a file to users other than its owner and group. A directory that they cannot
 * enter protects the files in it.
 */
public final class FileExposure {
  private FileExposure() {}

  /**
   * A warning about a file with a secret; empty when other users can neither read nor change it, or
   * when the file system has no such permissions.
   */
  public static Optional<String> warning(Path file) {
    try {
      Path real = file.toRealPath();
      Set<PosixFilePermission> mode = Files.getPosixFilePermissions(real);
      boolean read = mode.contains(PosixFilePermission.OTHERS_READ);
      boolean changed = mode.contains(PosixFilePermission.OTHERS_WRITE);
      if ((!read && !changed) || !isReachable(real)) return Optional.empty();
      return Optional.of(
          "%s can be %s by every user of this host (mode %s): run chmod o= on it"
              .formatted(file, changed ? "changed" : "read", PosixFilePermissions.toString(mode)));
    } catch (IOException | UnsupportedOperationException e) {
      return Optional.empty(); // a missing file is reported where it is needed
    }
  }

  private static boolean isReachable(Path file) throws IOException {
    for (Path folder = file.getParent(); folder != null; folder = folder.getParent()) {
      Set<PosixFilePermission> mode = Files.getPosixFilePermissions(folder);
      if (!mode.contains(PosixFilePermission.OTHERS_EXECUTE)) return false;
    }
    return true;
  }
}
