package org.quorumail.config;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.StringNode;

/**
 * A value that was written for a key, and its origin. In a file it has a TOML type, which must be
 * the type of the key. Outside the file it is text, which is parsed as the type of the key. The
 * exception of each method names the fault.
 */
record ConfigValue(JsonNode value, String origin, boolean fromFile) {
  /** The value of an environment variable or an option. */
  static ConfigValue text(String text, String origin) {
    return new ConfigValue(StringNode.valueOf(text), origin, false);
  }

  /** Appends a unit: {@code command_secs = 300} becomes {@code "300s"}. */
  ConfigValue withUnit(String unit) {
    if (!value.isIntegralNumber()) return this;
    return new ConfigValue(StringNode.valueOf(value.asString() + unit), origin, true);
  }

  /** The value as a list or a table; outside the file these are written as TOML. */
  @Nullable JsonNode structure() {
    return fromFile ? value : TomlDocument.valueOrNull(value.asString());
  }

  List<String> textList(String type) {
    JsonNode node = value;
    if (!fromFile) {
      String text = node.asString().strip();
      if (!text.startsWith("[")) {
        return Arrays.stream(text.split(",")).map(String::strip).filter(t -> !t.isEmpty()).toList();
      }
      node = structure();
    }
    if (!(node instanceof ArrayNode array)) {
      throw new IllegalArgumentException("must be a list of " + type);
    }
    List<String> texts = new ArrayList<>();
    for (JsonNode element : array) {
      require(element.isString(), "must be a list of " + type + ", each in quotes");
      texts.add(element.stringValue());
    }
    return texts;
  }

  String scalar(String type) {
    require(value.isString(), "must be a " + type + " in quotes");
    return value.stringValue();
  }

  boolean bool() {
    if (value.isBoolean()) return value.booleanValue();
    require(!fromFile, "must be true or false, without quotes");
    return switch (value.asString().strip().toLowerCase(Locale.ROOT)) {
      case "true", "1", "yes", "on" -> true;
      case "false", "0", "no", "off" -> false;
      default -> throw new IllegalArgumentException("must be true or false");
    };
  }

  long integer() {
    if (fromFile) {
      require(value.isIntegralNumber(), "must be an integer, without quotes");
      BigInteger number = value.bigIntegerValue();
      require(number.bitLength() < Long.SIZE, "too large a number");
      return number.longValue();
    }
    try {
      return Long.parseLong(value.asString().strip());
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("must be an integer", e);
    }
  }

  double number() {
    if (value.isNumber()) return value.asDouble();
    require(!fromFile, "must be a number, without quotes");
    try {
      return Double.parseDouble(value.asString().strip());
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("must be a number", e);
    }
  }

  static void require(boolean holds, String otherwise) {
    if (!holds) throw new IllegalArgumentException(otherwise);
  }
}
