package org.quorumail.api;

import static java.util.stream.Collectors.joining;

import java.util.Collections;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The position of a reader in the events of mail: in each spool the last event that it has. Its
 * text is {@code spool-n1:4711.0,spool-n2:12.3}.
 *
 * @param positions an entry and a number in it, by spool
 */
public record MailCursor(SortedMap<String, String> positions) {
  /** Before the first answer. */
  public static final MailCursor NONE = new MailCursor(Collections.emptySortedMap());

  /** Spools of the largest cluster, each with a name and two numbers. */
  private static final int TEXT_MAX = 16 * 1024;

  private static final Pattern PART =
      Pattern.compile("([A-Za-z0-9][A-Za-z0-9._@-]*):([0-9]{1,18}\\.[0-9]{1,9})");

  public MailCursor {
    positions = Collections.unmodifiableSortedMap(new TreeMap<>(positions));
  }

  /**
   * Reads the text form.
   *
   * @throws IllegalArgumentException when it is not one
   */
  public static MailCursor parse(String text) {
    if (text.isEmpty()) return NONE;
    SortedMap<String, String> positions = new TreeMap<>();
    if (text.length() > TEXT_MAX) throw malformed();
    for (String part : text.split(",", -1)) {
      Matcher matcher = PART.matcher(part);
      if (!matcher.matches()) throw malformed();
      positions.put(matcher.group(1), matcher.group(2));
    }
    return new MailCursor(positions);
  }

  private static IllegalArgumentException malformed() {
    return new IllegalArgumentException("after must be the cursor of an earlier answer");
  }

  /** The position in a spool; empty when the reader has none there. */
  public Optional<String> in(String spool) {
    return Optional.ofNullable(positions.get(spool));
  }

  /** The same with the positions of another cursor, which are newer. */
  MailCursor with(MailCursor newer) {
    SortedMap<String, String> all = new TreeMap<>(positions);
    all.putAll(newer.positions);
    return new MailCursor(all);
  }

  @Override
  public String toString() {
    return positions.entrySet().stream()
        .map(e -> e.getKey() + ":" + e.getValue())
        .collect(joining(","));
  }
}
