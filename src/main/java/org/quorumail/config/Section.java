package org.quorumail.config;

import static org.quorumail.config.ConfigValue.require;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * One table of the configuration. Each method reads one key: it declares the key for the
 * documentation, takes the value of the strongest source, and reports what is wrong with it. After
 * a fault it returns the default, so that reading continues and finds the next problem.
 */
public final class Section {
  private static final Map<String, String> DURATION_SUFFIXES =
      Map.of(
          "_ms",
          "ms",
          "_millis",
          "ms",
          "_secs",
          "s",
          "_seconds",
          "s",
          "_mins",
          "m",
          "_minutes",
          "m",
          "_hours",
          "h",
          "_days",
          "d");
  private static final Map<String, String> SIZE_SUFFIXES =
      Map.of("_bytes", "B", "_kb", "KB", "_mb", "MB", "_gb", "GB");

  private final ParseContext context;
  private final String path;
  private final String pattern;
  private final @Nullable ObjectNode table;
  private final @Nullable String outsideOrigin;
  private final Set<String> requested = new LinkedHashSet<>();

  /**
   * @param pattern the path as the documentation writes it
   * @param outsideOrigin the variable or option when the whole table came from outside the file
   */
  Section(
      ParseContext reading,
      String path,
      String pattern,
      @Nullable ObjectNode table,
      @Nullable String outsideOrigin) {
    this.context = reading;
    this.path = path;
    this.pattern = pattern;
    this.table = table;
    this.outsideOrigin = outsideOrigin;
    reading.addSection(this);
  }

  public String text(String key, String fallback, String meaning) {
    return value(key, "text", fallback, fallback, meaning, t -> t);
  }

  /** Reads a text; an empty one in the file means the same as a missing key. */
  public Optional<String> optionalText(String key, String fallback, String meaning) {
    return optional(key, "text", fallback, meaning, t -> t);
  }

  public <T> Optional<T> optional(
      String key, String type, String fallback, String meaning, Function<String, T> parse) {
    return value(
        key,
        type,
        fallback,
        Optional.empty(),
        meaning,
        t -> t.isBlank() ? Optional.empty() : Optional.of(parse.apply(t)));
  }

  /** Reads a text that {@code parse} gives a meaning; the parser's exception names the fault. */
  public <T> T value(
      String key,
      String type,
      String fallback,
      T fallbackValue,
      String meaning,
      Function<String, T> parse) {
    declare(key, type, quote(fallback), meaning);
    return read(key, fallbackValue, given -> parse.apply(given.scalar(type)));
  }

  public boolean flag(String key, boolean fallback, String meaning) {
    return flag(key, fallback, String.valueOf(fallback), meaning);
  }

  /**
   * Reads true or false.
   *
   * @param words the default in words, where it depends on another key
   */
  public boolean flag(String key, boolean fallback, String words, String meaning) {
    declare(key, "true or false", words, meaning);
    return read(key, fallback, ConfigValue::bool);
  }

  public int integer(String key, int fallback, int min, int max, String meaning) {
    return (int) longInteger(key, fallback, min, max, meaning);
  }

  public long longInteger(String key, long fallback, long min, long max, String meaning) {
    declare(key, "integer, " + min + " to " + max, String.valueOf(fallback), meaning);
    return read(key, fallback, given -> inRange(given.integer(), min, max));
  }

  public double decimal(String key, double fallback, double min, double max, String meaning) {
    declare(key, "number, " + min + " to " + max, String.valueOf(fallback), meaning);
    return read(
        key,
        fallback,
        given -> {
          double number = given.number();
          require(number >= min && number <= max, "must be " + min + " to " + max);
          return number;
        });
  }

  public Duration duration(String key, String fallback, String min, String max, String meaning) {
    declare(key, "duration, " + min + " to " + max, quote(fallback), meaning);
    return this.<Duration>read(
        key,
        DURATION_SUFFIXES,
        Units.parseDuration(fallback),
        given -> {
          Duration d = Units.parseDuration(given.scalar("duration such as \"30s\" or \"5m\""));
          boolean fits =
              d.compareTo(Units.parseDuration(min)) >= 0
                  && d.compareTo(Units.parseDuration(max)) <= 0;
          require(fits, "must be " + min + " to " + max);
          return d;
        });
  }

  public long size(String key, String fallback, String min, String max, String meaning) {
    declare(key, "size, " + min + " to " + max, quote(fallback), meaning);
    return read(
        key,
        SIZE_SUFFIXES,
        Units.parseSize(fallback),
        given -> {
          long bytes = Units.parseSize(given.scalar("size such as \"25MB\""));
          require(
              bytes >= Units.parseSize(min) && bytes <= Units.parseSize(max),
              "must be " + min + " to " + max);
          return bytes;
        });
  }

  public <E extends Enum<E>> E choice(String key, Class<E> type, E fallback, String meaning) {
    String words =
        Arrays.stream(type.getEnumConstants())
            .map(Section::configName)
            .collect(Collectors.joining(", "));
    declare(key, "one of " + words, quote(configName(fallback)), meaning);
    return read(key, fallback, given -> choose(type, given.scalar("text"), words));
  }

  public static <E extends Enum<E>> E choose(Class<E> type, String text, String words) {
    for (E candidate : type.getEnumConstants()) {
      if (configName(candidate).equalsIgnoreCase(text.strip())) return candidate;
    }
    throw new IllegalArgumentException("must be one of " + words + ", not \"" + text + "\"");
  }

  static String configName(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** Reads a list of texts; outside the file also with commas between them. */
  public <T> List<T> list(
      String key, String type, List<String> fallback, String meaning, Function<String, T> parse) {
    String written =
        fallback.stream().map(Section::quote).collect(Collectors.joining(", ", "[", "]"));
    declare(key, "list of " + type, written, meaning);
    List<T> fallbackValue = fallback.stream().map(parse).toList();
    return read(key, fallbackValue, given -> elements(key, type, given, parse));
  }

  private <T> List<T> elements(
      String key, String type, ConfigValue given, Function<String, T> parse) {
    List<T> values = new ArrayList<>();
    int i = 0;
    for (String text : given.textList(type)) {
      try {
        values.add(parse.apply(text));
      } catch (IllegalArgumentException e) {
        String element = KeyPath.element(child(key), i);
        String origin = given.fromFile() ? context.origin(element) : given.origin();
        context.problem(element, origin, messageOf(e));
      }
      i++;
    }
    return List.copyOf(values);
  }

  /** Opens a table below this one, written or not. */
  public Section section(String key) {
    requested.add(key);
    context.addTable(child(key));
    return new Section(context, child(key), childPattern(key), tableAt(key), outsideOrigin);
  }

  /** Opens a list of tables ({@code [[key]]}), at least the given number of them. */
  public List<Section> sections(String key, int atLeast) {
    requested.add(key);
    String here = child(key);
    ConfigValue given = configValue(key);
    JsonNode node = given == null ? null : given.structure();
    List<Section> elements = new ArrayList<>();
    if (node instanceof ArrayNode array) {
      for (int i = 0; i < array.size(); i++) {
        String element = KeyPath.element(here, i);
        if (!(array.get(i) instanceof ObjectNode)) context.problem(element, "must be a table");
        elements.add(element(element, key, array.get(i), given));
      }
    } else if (node != null) {
      context.problem(here, "must be a list of tables: [[" + here + "]]");
    }
    while (elements.size() < atLeast) {
      elements.add(element(KeyPath.element(here, elements.size()), key, null, null));
    }
    return elements;
  }

  private Section element(
      String element, String key, @Nullable JsonNode node, @Nullable ConfigValue given) {
    ObjectNode object = node instanceof ObjectNode o ? o : null;
    String origin = given == null || given.fromFile() ? outsideOrigin : given.origin();
    return new Section(context, element, childPattern(key) + "[]", object, origin);
  }

  /** Opens the tables below free names ({@code [key."name"]}). */
  public Map<String, Section> namedSections(String key) {
    requested.add(key);
    Map<String, Section> byName = new LinkedHashMap<>();
    ConfigValue given = configValue(key);
    if (given == null) return byName;
    if (!(given.structure() instanceof ObjectNode object)) {
      context.problem(child(key), given.origin(), "must be a table of tables");
      return byName;
    }
    String origin = given.fromFile() ? outsideOrigin : given.origin();
    for (Map.Entry<String, JsonNode> e : object.properties()) {
      String name = KeyPath.child(child(key), e.getKey());
      ObjectNode element = e.getValue() instanceof ObjectNode o ? o : null;
      if (element == null) context.problem(name, "must be a table");
      byName.put(e.getKey(), new Section(context, name, childPattern(key) + ".*", element, origin));
    }
    return byName;
  }

  /** Reads a table of free names with a text each. */
  public Map<String, String> textMap(String key, String meaning) {
    requested.add(key);
    context.declare(new ConfigKey(childPattern(key) + ".*", "text", "none", meaning, true));
    Map<String, String> texts = new LinkedHashMap<>();
    context.addValue(child(key), Map.of());
    ConfigValue given = configValue(key);
    if (given == null) return texts;
    if (!(given.structure() instanceof ObjectNode object)) {
      context.problem(child(key), given.origin(), "must be a table of texts");
      return texts;
    }
    for (Map.Entry<String, JsonNode> e : object.properties()) {
      if (e.getValue().isString()) texts.put(e.getKey(), e.getValue().stringValue());
      else context.problem(KeyPath.child(child(key), e.getKey()), "must be a text in quotes");
    }
    context.addValue(child(key), Map.copyOf(texts));
    return texts;
  }

  /**
   * Declares a documented key of a later version. Its default may be written; anything else is
   * refused rather than silently without effect.
   *
   * @param fallback as TOML
   */
  public void unavailable(String key, String fallback, String meaning) {
    requested.add(key);
    context.declare(new ConfigKey(childPattern(key), "", fallback, meaning, false));
    ConfigValue given = configValue(key);
    if (given == null || isDefault(given, fallback)) return;
    context.problem(
        child(key),
        given.origin(),
        "is not available in this version; remove it"
            + (fallback.isEmpty() ? "" : " or leave it at its default " + fallback));
  }

  private static boolean isDefault(ConfigValue given, String fallback) {
    if (fallback.isEmpty()) return false;
    JsonNode expected = TomlDocument.value(fallback);
    if (given.fromFile()) return given.value().equals(expected);
    return given.value().asString().equals(fallback)
        || given.value().asString().equals(expected.asString(""));
  }

  /** Reports whether the key is written in any source. */
  public boolean has(String key) {
    return configValue(key) != null;
  }

  public void problem(String key, String message) {
    context.problem(key.isEmpty() ? path : child(key), message);
  }

  /** Whether a problem of this key, or of an element of it, is known already. */
  public boolean hasProblem(String key) {
    return context.hasProblem(child(key));
  }

  public void warning(String key, String message) {
    context.warning(key.isEmpty() ? path : child(key), message);
  }

  void reportUnknown() {
    if (table == null) return;
    for (String name : table.propertyNames()) {
      if (requested.contains(name)) continue;
      String unknown = child(name);
      String origin = outsideOrigin != null ? outsideOrigin : context.origin(unknown);
      context.problem(unknown, origin, context.unknownKeyMessage(unknown, List.copyOf(requested)));
    }
  }

  private void declare(String key, String type, String fallback, String meaning) {
    requested.add(key);
    context.declare(new ConfigKey(childPattern(key), type, fallback, meaning, true));
  }

  private <T> T read(String key, T fallback, Function<ConfigValue, T> parse) {
    return read(key, Map.of(), fallback, parse);
  }

  private <T> T read(
      String key, Map<String, String> suffixes, T fallback, Function<ConfigValue, T> parse) {
    T value = parsed(key, suffixes, fallback, parse);
    context.addValue(child(key), value);
    return value;
  }

  private <T> T parsed(
      String key, Map<String, String> suffixes, T fallback, Function<ConfigValue, T> parse) {
    String written = key;
    ConfigValue given = configValue(key);
    for (Map.Entry<String, String> suffix : suffixes.entrySet()) {
      String spelling = key + suffix.getKey();
      JsonNode node = table == null ? null : table.get(spelling);
      if (node == null) continue;
      requested.add(spelling);
      if (given != null && given.fromFile()) problem(spelling, "says the same as " + written);
      if (given != null) continue;
      written = spelling;
      given = inTable(spelling, node).withUnit(suffix.getValue());
    }
    if (given == null) return fallback;
    try {
      return parse.apply(given);
    } catch (IllegalArgumentException e) {
      context.problem(child(written), given.origin(), messageOf(e));
      return fallback;
    }
  }

  private @Nullable ConfigValue configValue(String key) {
    ConfigValue outside = context.externalValue(child(key));
    if (outside != null) return outside;
    JsonNode node = table == null ? null : table.get(key);
    return node == null ? null : inTable(key, node);
  }

  private ConfigValue inTable(String key, JsonNode node) {
    ConfigValue given = context.fileValue(child(key), node);
    return outsideOrigin == null ? given : new ConfigValue(node, outsideOrigin, true);
  }

  private @Nullable ObjectNode tableAt(String key) {
    JsonNode node = table == null ? null : table.get(key);
    if (node instanceof ObjectNode object) return object;
    if (node != null) context.problem(child(key), "must be a table: [" + child(key) + "]");
    return null;
  }

  private static long inRange(long number, long min, long max) {
    require(number >= min && number <= max, "must be " + min + " to " + max);
    return number;
  }

  private static String messageOf(IllegalArgumentException e) {
    return String.valueOf(e.getMessage());
  }

  private String child(String key) {
    return KeyPath.child(path, key);
  }

  private String childPattern(String key) {
    return pattern.isEmpty() ? key : pattern + "." + key;
  }

  /** Quotes a default; one in words has parentheses and is not a value. */
  private static String quote(String text) {
    return text.startsWith("(") ? text : '"' + text + '"';
  }
}
