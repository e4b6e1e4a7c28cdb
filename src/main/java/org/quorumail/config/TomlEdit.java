package org.quorumail.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A change of one key in the text of a TOML document, which leaves comments and all other lines as
 * they are. Every result is parsed and compared with what the change should give.
 */
public final class TomlEdit {
  /** The value of a key whose names are read: a text that has a value itself is no key. */
  private static final int PLACEHOLDER = 727_272;

  private final String text;
  private final ObjectNode root;
  private final String key;
  private final List<String> names;

  /** A change that cannot be made, with a sentence for the operator. */
  public static final class EditException extends Exception {
    private static final long serialVersionUID = 1L;

    EditException(String message) {
      super(message);
    }
  }

  private TomlEdit(String text, ObjectNode root, String key, List<String> names) {
    this.text = text;
    this.root = root;
    this.key = key;
    this.names = names;
  }

  /**
   * @param key with dots, such as {@code relay.domains}
   */
  public static TomlEdit of(String text, String key) throws EditException {
    try {
      List<String> names = names(key);
      ObjectNode root = TomlDocument.parse(text).root();
      return new TomlEdit(text, root, path(names, names.size()), names);
    } catch (TomlDocument.SyntaxException e) {
      throw new EditException("line %d is not TOML: %s".formatted(e.line(), e.getMessage()));
    }
  }

  /**
   * Sets the key.
   *
   * @param value in TOML; anything else is a text
   */
  public String set(String value) throws EditException {
    Optional<JsonNode> parsed = parse("value = " + value).map(t -> t.get("value"));
    String written = parsed.isPresent() && !value.contains("\n") ? value : quoted(value);
    JsonNode node =
        parse("value = " + written)
            .map(t -> t.get("value"))
            .orElseThrow(() -> new EditException(value + " cannot be a value"));
    ObjectNode expected = root.deepCopy();
    ObjectNode table = table(expected, true);
    if (table != null) table.set(names.getLast(), node);
    return settings(written)
        .filter(candidate -> isEqual(candidate, expected))
        .findFirst()
        .orElseThrow(this::inList);
  }

  /** Removes the key. */
  public String unset() throws EditException {
    ObjectNode expected = root.deepCopy();
    ObjectNode table = table(expected, false);
    if (table == null || table.remove(names.getLast()) == null) {
      throw new EditException(key + " is not set");
    }
    KeyLineNumbers.Statement at = KeyLineNumbers.scan(text).statements().get(key);
    if (at == null) throw inList();
    int begin = text.lastIndexOf('\n', at.start()) + 1;
    String without = text.substring(0, begin) + text.substring(afterLine(at.end()));
    if (!isEqual(without, expected)) throw inList();
    return without;
  }

  /**
   * The text with the value where the key is, in its table, in a new table, or at the beginning.
   */
  private Stream<String> settings(String value) {
    KeyLineNumbers scan = KeyLineNumbers.scan(text);
    String parent = path(names, names.size() - 1);
    String line = path(List.of(names.getLast()), 1) + " = " + value + "\n";
    List<String> candidates = new ArrayList<>();
    KeyLineNumbers.Statement at = scan.statements().get(key);
    if (at != null) {
      candidates.add(text.substring(0, at.valueStart()) + value + text.substring(at.end()));
    }
    Integer tableEnd = scan.tableEnds().get(parent);
    if (tableEnd != null) {
      int end = afterLine(tableEnd);
      candidates.add(endLine(text.substring(0, end)) + line + text.substring(end));
    }
    if (!parent.isEmpty()) candidates.add(endLine(text) + "[" + parent + "]\n" + line);
    candidates.add(key + " = " + value + "\n" + text);
    return candidates.stream();
  }

  private int afterLine(int position) {
    int end = text.indexOf('\n', position);
    return end < 0 ? text.length() : end + 1;
  }

  private static String endLine(String before) {
    return before.isEmpty() || before.endsWith("\n") ? before : before + "\n";
  }

  /** The table that has the key; made if it is wanted and missing, else null. */
  private @Nullable ObjectNode table(ObjectNode of, boolean make) throws EditException {
    ObjectNode table = of;
    for (String name : names.subList(0, names.size() - 1)) {
      JsonNode next = table.get(name);
      if (next == null && !make) return null;
      if (next == null) table = table.putObject(name);
      else if (next instanceof ObjectNode below) table = below;
      else throw inList();
    }
    return table;
  }

  private EditException inList() {
    return new EditException(
        key + " cannot be changed alone: change the whole document with 'cluster config set FILE'");
  }

  private static boolean isEqual(String candidate, ObjectNode expected) {
    return parse(candidate).map(p -> withoutEmpty(p).equals(withoutEmpty(expected))).orElse(false);
  }

  /** A table without keys means nothing. */
  private static ObjectNode withoutEmpty(ObjectNode table) {
    ObjectNode copy = table.deepCopy();
    for (Map.Entry<String, JsonNode> e : table.properties()) {
      if (!(e.getValue() instanceof ObjectNode below)) continue;
      ObjectNode kept = withoutEmpty(below);
      if (kept.isEmpty()) copy.remove(e.getKey());
      else copy.set(e.getKey(), kept);
    }
    return copy;
  }

  private static List<String> names(String key) throws EditException {
    Optional<ObjectNode> parsed =
        key.contains("\n") ? Optional.empty() : parse(key + " = " + PLACEHOLDER);
    List<String> names = new ArrayList<>();
    JsonNode below = parsed.orElse(null);
    while (below instanceof ObjectNode table && table.size() == 1) {
      String name = table.propertyNames().iterator().next();
      names.add(name);
      below = table.get(name);
    }
    if (names.isEmpty() || below == null || below.asInt(0) != PLACEHOLDER) {
      throw new EditException(key + " is not a key, such as relay.domains");
    }
    return names;
  }

  private static String path(List<String> names, int length) {
    String path = "";
    for (String name : names.subList(0, length)) path = KeyPath.child(path, name);
    return path;
  }

  private static Optional<ObjectNode> parse(String text) {
    try {
      return Optional.of(TomlDocument.parse(text).root());
    } catch (TomlDocument.SyntaxException e) {
      return Optional.empty();
    }
  }

  private static String quoted(String value) {
    StringBuilder out = new StringBuilder("\"");
    value
        .chars()
        .forEach(
            c -> {
              if (c == '"' || c == '\\') out.append('\\').append((char) c);
              else if (c < ' ' || c == 0x7f) out.append(String.format("\\u%04x", c));
              else out.append((char) c);
            });
    return out.append('"').toString();
  }
}
