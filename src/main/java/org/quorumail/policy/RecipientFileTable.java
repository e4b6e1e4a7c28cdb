package org.quorumail.policy;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import org.quorumail.mail.MailAddress;

/**
 * The known recipients of the domains that are accepted from anyone: one address or {@code @domain}
 * (everybody there) per line, {@code #} begins a comment. Local parts are compared without case.
 */
public final class RecipientFileTable implements RecipientTable {
  /** Above this a directory service is due; some 200 MB of memory. */
  private static final int MAX_ENTRIES = 2_000_000;

  private final Set<String> entries;

  private RecipientFileTable(Set<String> entries) {
    this.entries = entries;
  }

  /**
   * Reads the file.
   *
   * @throws IOException with one sentence that names the file, and the line where there is one
   */
  public static RecipientFileTable read(Path file) throws IOException {
    Set<String> entries = new HashSet<>();
    try (BufferedReader reader = Files.newBufferedReader(file)) {
      int number = 0;
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        number++;
        String entry = line.strip().toLowerCase(Locale.ROOT);
        if (entry.isEmpty() || entry.startsWith("#")) continue;
        if (entry.indexOf('@') < 0 || entry.endsWith("@")) {
          throw new IOException(file + " line " + number + " is neither an address nor @domain");
        }
        if (entries.size() == MAX_ENTRIES) {
          throw new IOException(file + " has more than " + MAX_ENTRIES + " recipients");
        }
        entries.add(entry);
      }
    } catch (java.nio.file.NoSuchFileException e) {
      throw new IOException("relay.recipients: there is no file " + file, e);
    }
    return new RecipientFileTable(entries);
  }

  @Override
  public Existence find(MailAddress address) {
    boolean known =
        entries.contains(address.toString().toLowerCase(Locale.ROOT))
            || entries.contains("@" + address.domain());
    return known ? Existence.KNOWN : Existence.UNKNOWN;
  }
}
