package org.quorumail.config;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The keys that the cluster has for all nodes. A node's own file, environment and command line are
 * stronger: this document has a value only for keys that these do not have. A list is one value.
 */
public final class ReplicatedDocument {
  private final String name;
  private final TomlDocument document;

  private ReplicatedDocument(String name, TomlDocument document) {
    this.name = name;
    this.document = document;
  }

  /**
   * @param name of the document in problems
   */
  public static ReplicatedDocument parse(String name, String toml)
      throws TomlDocument.SyntaxException {
    return new ReplicatedDocument(name, TomlDocument.parse(toml));
  }

  public String name() {
    return name;
  }

  public TomlDocument document() {
    return document;
  }

  /** The keys with a value, such as {@code relay.domains}; a list has one key. */
  public List<String> keys() {
    List<String> keys = new ArrayList<>();
    addKeys(document.root(), "", keys);
    return keys;
  }

  private static void addKeys(ObjectNode table, String path, List<String> keys) {
    for (Map.Entry<String, JsonNode> e : table.properties()) {
      String key = KeyPath.child(path, e.getKey());
      if (e.getValue() instanceof ObjectNode below) addKeys(below, key, keys);
      else keys.add(key);
    }
  }

  /** The origins of the keys that a node's own file does not have. */
  Map<String, String> originsBelow(ObjectNode file) {
    List<String> hidden = new ArrayList<>();
    addHidden(document.root(), file, "", hidden);
    Map<String, String> origins = new HashMap<>();
    document
        .lines()
        .forEach(
            (path, line) -> {
              if (hidden.stream().noneMatch(h -> KeyPath.isWithin(path, h))) {
                origins.put(path, name + ":" + line);
              }
            });
    return origins;
  }

  private static void addHidden(
      ObjectNode table, ObjectNode file, String path, List<String> hidden) {
    for (Map.Entry<String, JsonNode> e : table.properties()) {
      String key = KeyPath.child(path, e.getKey());
      JsonNode own = file.get(e.getKey());
      if (own == null) continue;
      if (own instanceof ObjectNode ownTable && e.getValue() instanceof ObjectNode below) {
        addHidden(below, ownTable, key, hidden);
      } else {
        hidden.add(key);
      }
    }
  }

  /** The values of the file, and those of this document for the keys that the file lacks. */
  ObjectNode below(ObjectNode file) {
    ObjectNode merged = file.deepCopy();
    addMissing(merged, document.root());
    return merged;
  }

  private static void addMissing(ObjectNode to, ObjectNode from) {
    for (Map.Entry<String, JsonNode> e : from.properties()) {
      JsonNode own = to.get(e.getKey());
      if (own == null) to.set(e.getKey(), e.getValue().deepCopy());
      else if (own instanceof ObjectNode ownTable && e.getValue() instanceof ObjectNode below) {
        addMissing(ownTable, below);
      }
    }
  }
}
