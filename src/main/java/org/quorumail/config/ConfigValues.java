package org.quorumail.config;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Predicate;

/**
 * The values of all keys of one reading, defaults included, by the names that an operator writes.
 * Some are secrets, so the values have no text form. Immutable.
 */
public final class ConfigValues {
  private final Map<String, Object> values;
  private final Map<String, String> origins;

  ConfigValues(Map<String, Object> values, Map<String, String> origins) {
    this.values = new LinkedHashMap<>(values);
    this.origins = Map.copyOf(origins);
  }

  /** The origin of a key's value, as {@link Problem#origin} has it; empty for a default. */
  public Optional<String> origin(String key) {
    return Optional.ofNullable(origins.get(key));
  }

  /** Returns these values with those of the other reading for the keys that the test accepts. */
  public ConfigValues with(ConfigValues other, Predicate<String> isTaken) {
    Map<String, Object> merged = new LinkedHashMap<>(values);
    merged.keySet().removeIf(isTaken);
    other.values.forEach(
        (key, value) -> {
          if (isTaken.test(key)) merged.put(key, value);
        });
    return new ConfigValues(merged, origins);
  }

  /**
   * Lists the keys whose values differ. A table or an element of a list that only one side has is
   * one entry.
   */
  public List<String> differences(ConfigValues other) {
    Set<String> keys = new LinkedHashSet<>(values.keySet());
    keys.addAll(other.values.keySet());
    Set<String> tables = tables();
    Set<String> otherTables = other.tables();
    Set<String> different = new LinkedHashSet<>();
    for (String key : keys) {
      Object mine = values.get(key);
      Object theirs = other.values.get(key);
      if (mine == null) different.add(outermostAbsent(key, tables));
      else if (theirs == null) different.add(outermostAbsent(key, otherTables));
      else if (!mine.equals(theirs)) different.add(key);
    }
    return List.copyOf(different);
  }

  /** Calls back with each text, path or number that is the value of a key or an element of it. */
  public void forEach(BiConsumer<String, Object> reader) {
    values.forEach(
        (key, value) -> {
          Object given = value instanceof Optional<?> optional ? optional.orElse(null) : value;
          if (given instanceof List<?> list) list.forEach(element -> reader.accept(key, element));
          else if (given != null) reader.accept(key, given);
        });
  }

  private Set<String> tables() {
    Map<String, Boolean> tables = new HashMap<>();
    for (String key : values.keySet()) {
      for (String p = KeyPath.parent(key); !p.isEmpty(); p = KeyPath.parent(p)) tables.put(p, true);
    }
    return tables.keySet();
  }

  private static String outermostAbsent(String key, Set<String> present) {
    String absent = key;
    for (String p = KeyPath.parent(key);
        !p.isEmpty() && !present.contains(p);
        p = KeyPath.parent(p)) absent = p;
    return absent;
  }
}
