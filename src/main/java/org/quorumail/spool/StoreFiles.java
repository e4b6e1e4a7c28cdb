package org.quorumail.spool;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** The directory of a store on disk: its permissions, and its replacement by another one. */
final class StoreFiles {
  /** The copy of the database inside a snapshot's directory. */
  static final String CHECKPOINT_DIRECTORY = "db";

  private static final String FRESH_SUFFIX = ".fresh";

  private StoreFiles() {}

  /** Creates the directory for this user only, since it holds other people's mail. */
  static void prepare(Path directory) throws IOException {
    Files.createDirectories(directory);
    PosixFileAttributeView posix =
        Files.getFileAttributeView(directory, PosixFileAttributeView.class);
    if (posix != null) posix.setPermissions(PosixFilePermissions.fromString("rwx------"));
  }

  /** Copies a directory beside the target and forces the copy; the source stays unchanged. */
  static Path copyBeside(Path target, Path source) throws IOException {
    Path fresh = target.resolveSibling(target.getFileName() + FRESH_SUFFIX);
    delete(fresh);
    prepare(fresh);
    for (Path file : files(source)) {
      Path copy = fresh.resolve(file.getFileName());
      if (isImmutable(file) && sameFileStore(file, fresh)) {
        Files.createLink(copy, file);
      } else {
        Files.copy(file, copy);
        forceOne(copy);
      }
    }
    force(fresh);
    return fresh;
  }

  /**
   * Moves the directory to the place of another one. A crash between the two steps leaves none. The
   * next open then finds an empty store, older than any snapshot.
   */
  static void swap(Path fresh, Path target) throws IOException {
    delete(target);
    Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE);
    forceOne(target.toAbsolutePath().resolveSibling("."));
  }

  /**
   * Forces a directory: its small files and all names. RocksDB has forced its tables and blobs
   * before it named them anywhere, and a link to them is a name.
   */
  static void force(Path directory) throws IOException {
    for (Path file : files(directory)) if (!isImmutable(file)) forceOne(file);
    forceOne(directory);
  }

  /** Bytes of the files in a directory. */
  static long size(Path directory) throws IOException {
    long size = 0;
    for (Path file : files(directory)) {
      try {
        size += Files.size(file);
      } catch (NoSuchFileException e) {
        // a compaction has just deleted it
      }
    }
    return size;
  }

  static void delete(Path root) throws IOException {
    if (!Files.exists(root)) return;
    try (Stream<Path> paths = Files.walk(root)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) Files.delete(path);
    }
  }

  /** RocksDB never writes to a finished table or blob file; to the others it appends. */
  private static boolean isImmutable(Path file) {
    String name = file.getFileName().toString();
    return name.endsWith(".sst") || name.endsWith(".blob");
  }

  private static boolean sameFileStore(Path a, Path b) throws IOException {
    FileStore one = Files.getFileStore(a);
    return one.equals(Files.getFileStore(b));
  }

  private static List<Path> files(Path directory) throws IOException {
    try (Stream<Path> paths = Files.list(directory)) {
      return paths.filter(Files::isRegularFile).toList();
    }
  }

  private static void forceOne(Path path) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }
}
