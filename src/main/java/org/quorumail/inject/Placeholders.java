package org.quorumail.inject;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.quorumail.mime.HeaderText;

/** Replaces {@code {{name}}} in texts by the data of a recipient. */
final class Placeholders {
  private static final Pattern PLACEHOLDER =
      Pattern.compile("\\{\\{ {0,8}([A-Za-z_][A-Za-z0-9_.-]{0,63}) {0,8}\\}\\}");

  private final Map<String, String> data;
  private final String field;
  private final long limit;

  /** The place where a value comes to stand. */
  enum Place {
    TEXT,
    /** The characters that HTML has a meaning for are escaped. */
    HTML
  }

  /**
   * @param data by name
   * @param field the field of the request that has the data
   * @param limit characters of a text with its values
   */
  Placeholders(Map<String, String> data, String field, long limit) {
    this.data = data;
    this.field = field;
    this.limit = limit;
  }

  /** The text with its values; a name without a value is a fault of the request. */
  String fill(String text, Place place) {
    if (!text.contains("{{")) return text;
    StringBuilder out = new StringBuilder(text.length() + 64);
    Matcher matcher = PLACEHOLDER.matcher(text);
    int from = 0;
    while (matcher.find()) {
      String value = data.get(matcher.group(1));
      if (value == null) {
        throw InjectionProblem.of(field, "has no value for {{" + matcher.group(1) + "}}");
      }
      out.append(text, from, matcher.start());
      out.append(place == Place.HTML ? escaped(value) : value);
      from = matcher.end();
      if (out.length() > limit) throw tooLarge(limit);
    }
    return out.append(text, from, text.length()).toString();
  }

  /**
   * The same values as octets of UTF-8, one character per octet, for a text that is so, too. None
   * ends a line, since the line could be one of the header.
   */
  Placeholders ofOctets() {
    Map<String, String> octets = new HashMap<>();
    data.forEach(
        (name, value) -> {
          if (!HeaderText.isSafe(value)) {
            throw InjectionProblem.of(
                field + "." + name, "has a line break or another control character");
          }
          byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
          octets.put(name, new String(utf8, StandardCharsets.ISO_8859_1));
        });
    return new Placeholders(octets, field, limit);
  }

  static InjectionProblem tooLarge(long limit) {
    return InjectionProblem.of(413, "", "a message has at most " + limit + " octets");
  }

  private static String escaped(String value) {
    return value
        .replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;")
        .replace("'", "&#39;");
  }
}
