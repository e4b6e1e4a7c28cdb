package org.quorumail.api;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The parser of the query of a URL, RFC 3986 §3.4. */
final class QueryString {
  private QueryString() {}

  static Map<String, List<String>> parse(String text) {
    Map<String, List<String>> query = new HashMap<>();
    if (text.isEmpty()) return query;
    for (String pair : text.split("&")) {
      String[] parts = pair.split("=", 2);
      query
          .computeIfAbsent(decode(parts[0]), name -> new ArrayList<>())
          .add(parts.length == 2 ? decode(parts[1]) : "");
    }
    return query;
  }

  static String decode(String text) {
    return URLDecoder.decode(text, StandardCharsets.UTF_8);
  }
}
