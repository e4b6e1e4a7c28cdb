package org.quorumail.policy.checks;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The entries of a configured list, with those of the files that it names. */
final class ListEntries {
  /** Some 100 MB of memory; a longer list belongs into a DNS list. */
  private static final int MAX_ENTRIES = 1_000_000;

  private static final String FILE = "file:";

  private ListEntries() {}

  /**
   * Reads the entries.
   *
   * @param key of the configuration, for errors
   * @throws IOException with one sentence when a file cannot be read
   */
  static List<String> read(String key, List<String> configured) throws IOException {
    List<String> entries = new ArrayList<>();
    for (String entry : configured) {
      if (entry.startsWith(FILE)) readFile(key, Path.of(entry.substring(FILE.length())), entries);
      else entries.add(entry);
    }
    return entries;
  }

  private static void readFile(String key, Path file, List<String> to) throws IOException {
    try (BufferedReader reader = Files.newBufferedReader(file)) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        int comment = line.indexOf('#');
        String entry = (comment < 0 ? line : line.substring(0, comment)).strip();
        if (entry.isEmpty()) continue;
        if (to.size() == MAX_ENTRIES)
          throw new IOException(key + " has more than " + MAX_ENTRIES + " entries");
        to.add(entry);
      }
    } catch (NoSuchFileException e) {
      throw new IOException(key + ": there is no file " + file, e);
    }
  }
}
