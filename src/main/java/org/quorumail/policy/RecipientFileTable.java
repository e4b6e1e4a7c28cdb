package org.quorumail.policy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.quorumail.config.AddressPattern;
import org.quorumail.config.TextFile;
import org.quorumail.mail.MailAddress;

/**
 * A file of the recipients that exist in the local domains: one address or {@code @domain} (all of
 * the domain) per line; {@code #} begins a comment. Case does not count.
 */
public final class RecipientFileTable implements RecipientTable {
  /** Some 200 MB of memory; larger sites use a directory. */
  private static final int MAX_ENTRIES = 2_000_000;

  private final Set<String> entries;

  private RecipientFileTable(Set<String> entries) {
    this.entries = entries;
  }

  /**
   * Reads the file.
   *
   * @throws IOException with one sentence that names the file and, where possible, the line
   */
  public static RecipientFileTable read(Path file) throws IOException {
    Set<String> entries = new HashSet<>();
    try (TextFile lines = TextFile.open(file)) {
      for (String line = lines.next(); line != null; line = lines.next()) {
        String text = line.strip();
        if (text.isEmpty() || text.startsWith("#")) continue;
        String entry;
        try {
          entry = entry(text);
        } catch (IllegalArgumentException e) {
          throw new IOException(lines.place() + ": " + e.getMessage(), e);
        }
        if (entries.size() == MAX_ENTRIES) {
          throw new IOException(file + " has more than " + MAX_ENTRIES + " recipients");
        }
        entries.add(entry);
      }
    }
    return new RecipientFileTable(entries);
  }

  private static String entry(String text) {
    if (text.indexOf('@') < 0) {
      throw new IllegalArgumentException("\"" + text + "\" is neither an address nor @domain");
    }
    return AddressPattern.parse(text).lookupKey();
  }

  @Override
  public Existence find(MailAddress address) {
    if (entries.contains("@" + address.domain())) return Existence.KNOWN;
    return findExact(address);
  }

  @Override
  public Existence findExact(MailAddress address) {
    return entries.contains(address.lookupKey()) ? Existence.KNOWN : Existence.UNKNOWN;
  }
}
