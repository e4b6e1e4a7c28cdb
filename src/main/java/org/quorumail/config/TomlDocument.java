package org.quorumail.config;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.dataformat.toml.TomlMapper;

/** A parsed TOML document and the lines of its keys. */
public record TomlDocument(ObjectNode root, Map<String, Integer> lines) {
  private static final TomlMapper MAPPER = new TomlMapper();

  /**
   * @throws SyntaxException when the text is not TOML
   */
  public static TomlDocument parse(String text) throws SyntaxException {
    try {
      JsonNode root = MAPPER.readTree(text);
      ObjectNode table = root instanceof ObjectNode object ? object : MAPPER.createObjectNode();
      return new TomlDocument(table, KeyLineNumbers.of(text));
    } catch (JacksonException e) {
      int line = e.getLocation() == null ? 0 : e.getLocation().getLineNr();
      throw new SyntaxException(line, e.getOriginalMessage());
    }
  }

  /** Parses one value in TOML, written by a programmer. */
  static JsonNode value(String text) {
    JsonNode node = valueOrNull(text);
    if (node == null) throw new IllegalArgumentException("not a TOML value: " + text);
    return node;
  }

  static @Nullable JsonNode valueOrNull(String text) {
    try {
      return MAPPER.readTree("value = " + text).get("value");
    } catch (JacksonException e) {
      return null;
    }
  }

  public static final class SyntaxException extends Exception {
    private static final long serialVersionUID = 1L;

    private final int line;

    SyntaxException(int line, String message) {
      super(message);
      this.line = line;
    }

    public int line() {
      return line;
    }
  }
}
