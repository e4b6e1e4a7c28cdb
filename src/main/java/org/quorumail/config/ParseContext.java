package org.quorumail.config;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** The state of one reading: the sources, the keys that were requested, and the problems found. */
public final class ParseContext {
  /** Keys of smtp-server (Zig) whose names are too far from ours for a suggestion by spelling. */
  private static final Map<String, String> FOREIGN_KEYS =
      Map.of(
          "cluster.node_id", "node.id",
          "cluster.bind_port", "cluster.port",
          "cluster.peers", "cluster.seeds",
          "cluster.leader_election_timeout_ms", "cluster.election_timeout",
          "cluster.enable_auto_discovery", "cluster.discovery");

  /** A table with more keys is better looked up in the documentation. */
  private static final int MAX_LISTED = 12;

  private final String fileName;
  private final ObjectNode root;
  private final Map<String, Integer> lines;
  private final Map<String, String> replicatedOrigins;
  private final Map<String, String> environment;
  private final Map<String, EnvironmentVariables.Variable> foreignEnvironment;
  private final Map<String, String> overrides;

  private final List<Problem> problems = new ArrayList<>();
  private final List<Problem> warnings = new ArrayList<>();
  private final List<Section> sections = new ArrayList<>();
  private final Set<String> requestedPaths = new HashSet<>();
  private final Set<String> tablePaths = new HashSet<>();
  private final Set<String> requestedVariables = new HashSet<>();
  private final Map<String, ConfigKey> keys = new LinkedHashMap<>();
  private final Map<String, Object> values = new LinkedHashMap<>();

  public ParseContext(
      String fileName,
      ObjectNode root,
      Map<String, Integer> lines,
      Map<String, String> environment,
      Map<String, String> overrides) {
    this(fileName, root, lines, Map.of(), environment, overrides);
  }

  /** A reading with the configuration of the cluster below the file. */
  public static ParseContext above(
      ReplicatedDocument cluster,
      String fileName,
      TomlDocument file,
      Map<String, String> environment,
      Map<String, String> overrides) {
    return new ParseContext(
        fileName,
        cluster.below(file.root()),
        file.lines(),
        cluster.originsBelow(file.root()),
        environment,
        overrides);
  }

  private ParseContext(
      String fileName,
      ObjectNode root,
      Map<String, Integer> lines,
      Map<String, String> replicatedOrigins,
      Map<String, String> environment,
      Map<String, String> overrides) {
    this.fileName = fileName;
    this.root = root;
    this.lines = lines;
    this.replicatedOrigins = replicatedOrigins;
    this.environment = EnvironmentVariables.ownVariables(environment);
    this.foreignEnvironment = EnvironmentVariables.foreignVariables(environment);
    EnvironmentVariables.foreignWarnings(environment)
        .forEach((name, message) -> warnings.add(new Problem("", name, message)));
    this.overrides = new TreeMap<>();
    overrides.forEach((path, value) -> this.overrides.put(normalizePath(path), value));
  }

  /** {@code smtp.listeners.0.socket} means {@code smtp.listeners[0].socket}. */
  private static String normalizePath(String path) {
    return path.replaceAll("\\.(\\d+)(?=\\.|$)", "[$1]");
  }

  public Section root() {
    return new Section(this, "", "", root, null);
  }

  void addSection(Section section) {
    sections.add(section);
  }

  /** Keeps the value that a key has in the end. */
  void addValue(String path, Object value) {
    values.put(path, value);
  }

  public ConfigValues values() {
    Map<String, String> origins = new LinkedHashMap<>();
    for (String path : values.keySet()) {
      if (isSet(path)) origins.put(path, origin(path));
    }
    return new ConfigValues(values, origins);
  }

  void declare(ConfigKey key) {
    keys.putIfAbsent(key.path(), key);
  }

  public List<ConfigKey> keys() {
    return List.copyOf(keys.values());
  }

  /** The value of a key outside the file: command line before environment. */
  @Nullable ConfigValue externalValue(String path) {
    String variable = EnvironmentVariables.nameOf(path);
    requestedPaths.add(path);
    requestedVariables.add(variable);
    String override = overrides.get(path);
    if (override != null) return ConfigValue.text(override, "command line");
    String own = environment.get(variable);
    if (own != null) return ConfigValue.text(own, variable);
    EnvironmentVariables.Variable foreign = foreignEnvironment.get(path);
    return foreign == null ? null : ConfigValue.text(foreign.value(), foreign.name());
  }

  ConfigValue fileValue(String path, JsonNode value) {
    return new ConfigValue(value, origin(path), true);
  }

  /** The place where a key is written; for a key that is not written, that of its table. */
  public String origin(String path) {
    if (overrides.containsKey(path)) return "command line";
    String variable = EnvironmentVariables.nameOf(path);
    if (environment.containsKey(variable)) return variable;
    EnvironmentVariables.Variable foreign = foreignEnvironment.get(path);
    if (foreign != null) return foreign.name();
    for (String p = path; !p.isEmpty(); p = KeyPath.parent(p)) {
      Integer line = lines.get(p);
      if (line != null) return fileName + ":" + line;
      String replicated = replicatedOrigins.get(p);
      if (replicated != null) return replicated;
    }
    return fileName;
  }

  private boolean isSet(String path) {
    return overrides.containsKey(path)
        || environment.containsKey(EnvironmentVariables.nameOf(path))
        || foreignEnvironment.containsKey(path)
        || lines.containsKey(path)
        || replicatedOrigins.containsKey(path);
  }

  /** The configuration file when the value of a key is written in it. */
  public Optional<String> fileOf(String path) {
    return lines.containsKey(path) && origin(path).startsWith(fileName + ":")
        ? Optional.of(fileName)
        : Optional.empty();
  }

  /** Whether a problem of this value is known already: what follows from it is noise. */
  public boolean hasProblem(String path) {
    return problems.stream().anyMatch(p -> p.key().equals(path) || p.key().startsWith(path + "["));
  }

  public void problem(String path, String message) {
    problems.add(new Problem(path, origin(path), message));
  }

  void problem(String path, String origin, String message) {
    problems.add(new Problem(path, origin, message));
  }

  public void warning(String path, String message) {
    warnings.add(new Problem(path, origin(path), message));
  }

  public List<Problem> warnings() {
    return warnings;
  }

  /** Returns all problems, those of unknown keys included; call it after everything is read. */
  public List<Problem> problems() {
    for (Section section : sections) section.reportUnknown();
    problems.sort(Comparator.comparingInt(this::lineOf));
    for (String path : overrides.keySet()) {
      if (!requestedPaths.contains(path))
        problem(path, "command line", unknownKeyMessage(path, knownPaths()));
    }
    for (String variable : environment.keySet()) {
      if (requestedVariables.contains(variable)) continue;
      String hint = suggestion(Spelling.nearest(variable, requestedVariables));
      warnings.add(new Problem("", variable, "no key has this name and it is ignored" + hint));
    }
    return problems;
  }

  /** The line of a problem in the file; those of other sources come after the last line. */
  private int lineOf(Problem problem) {
    String prefix = fileName + ":";
    if (!problem.origin().startsWith(prefix)) return Integer.MAX_VALUE;
    try {
      return Integer.parseInt(problem.origin().substring(prefix.length()));
    } catch (NumberFormatException e) {
      return Integer.MAX_VALUE;
    }
  }

  void addTable(String path) {
    tablePaths.add(path);
  }

  private List<String> knownPaths() {
    List<String> paths = new ArrayList<>(requestedPaths);
    paths.addAll(tablePaths);
    return paths;
  }

  /** The message about an unknown key, with a suggestion of the key that was probably meant. */
  String unknownKeyMessage(String path, List<String> siblings) {
    String name = path.substring(path.lastIndexOf('.') + 1);
    String foreign = FOREIGN_KEYS.get(path);
    if (foreign != null) return "unknown key" + suggestion(Optional.of(foreign));
    Optional<String> sibling = Spelling.nearest(name, siblings);
    if (sibling.isPresent()) return "unknown key" + suggestion(sibling);
    for (String known : knownPaths()) {
      if (known.endsWith("." + name)) return "unknown key" + suggestion(Optional.of(known));
    }
    Optional<String> near = Spelling.nearest(path, knownPaths());
    int dot = path.lastIndexOf('.');
    if (near.isPresent() || dot < 0 || siblings.isEmpty() || siblings.size() > MAX_LISTED) {
      return "unknown key" + suggestion(near);
    }
    return "unknown key; " + path.substring(0, dot) + " has " + String.join(", ", siblings);
  }

  private static String suggestion(Optional<String> known) {
    return known.map(k -> "; did you mean " + k + "?").orElse("");
  }
}
