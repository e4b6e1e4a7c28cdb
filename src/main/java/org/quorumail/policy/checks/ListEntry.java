package org.quorumail.policy.checks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.quorumail.config.TextFile;

/**
 * An entry of a configured list, or of a file that the list names.
 *
 * @param place the key, and for an entry of a file its line, for errors
 */
record ListEntry(String text, String place) {
  /** Some 100 MB of memory; a longer list belongs into a DNS list. */
  private static final int MAX_ENTRIES = 1_000_000;

  private static final String FILE = "file:";

  /**
   * Reads the entries.
   *
   * @param key of the configuration, for errors
   * @throws IOException with one sentence when a file cannot be read
   */
  static List<ListEntry> readAll(String key, List<String> configured) throws IOException {
    List<ListEntry> entries = new ArrayList<>();
    for (String entry : configured) {
      if (entry.startsWith(FILE)) readFile(key, Path.of(entry.substring(FILE.length())), entries);
      else entries.add(new ListEntry(entry, key));
    }
    return entries;
  }

  private static void readFile(String key, Path file, List<ListEntry> to) throws IOException {
    try (TextFile lines = TextFile.open(file)) {
      for (String line = lines.next(); line != null; line = lines.next()) {
        int comment = line.indexOf('#');
        String entry = (comment < 0 ? line : line.substring(0, comment)).strip();
        if (entry.isEmpty()) continue;
        if (to.size() == MAX_ENTRIES) {
          throw new IOException("more than " + MAX_ENTRIES + " entries");
        }
        to.add(new ListEntry(entry, key + ": " + lines.place()));
      }
    } catch (IOException e) {
      throw new IOException(key + ": " + e.getMessage(), e);
    }
  }
}
