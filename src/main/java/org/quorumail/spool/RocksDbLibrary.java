package org.quorumail.spool;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.rocksdb.RocksDB;
import org.rocksdb.util.Environment;

/**
 * RocksDB's native library, unpacked once per data directory. By default RocksDB unpacks it to the
 * system's temporary folder at each start, and a killed node leaves it there.
 */
final class RocksDbLibrary {
  private RocksDbLibrary() {}

  static void load(Path directory) throws IOException {
    String name = Environment.getJniLibraryFileName("rocksdb");
    // RocksDB packs it under the first name, and looks in a directory for the second
    String unpacked = Environment.getJniLibraryFileName("rocksdbjni");
    URL packed = RocksDB.class.getClassLoader().getResource(name);
    if (packed == null) {
      RocksDB.loadLibrary(); // a platform that RocksDB names in another way: let it find out
      return;
    }
    Files.createDirectories(directory);
    Path library = directory.resolve(unpacked);
    URLConnection connection = packed.openConnection();
    long size = connection.getContentLengthLong();
    boolean isThere = Files.exists(library) && Files.size(library) == size;
    if (!isThere) {
      // written beside and renamed, so that a killed start leaves no partial library
      Path draft = Files.createTempFile(directory, unpacked, ".tmp");
      try (InputStream in = connection.getInputStream()) {
        Files.copy(in, draft, StandardCopyOption.REPLACE_EXISTING);
      }
      Files.move(
          draft, library, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
    // libraries load from absolute paths only, and the default directory is relative
    String place = directory.toAbsolutePath().toString();
    try {
      RocksDB.loadLibrary(List.of(place));
    } catch (LinkageError | RuntimeException e) {
      throw new IOException(
          "RocksDB's native library cannot be loaded from "
              + place
              + " ("
              + e.getMessage()
              + "); check that the data directory is not mounted noexec and that the package fits"
              + " the platform",
          e);
    }
  }
}
