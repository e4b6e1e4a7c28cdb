package org.quorumail.tools;

import java.util.Map;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.json.JsonMapper;

/** How a result is printed. */
public enum OutputFormat {
  TEXT,
  JSON;

  private static final JsonMapper MAPPER =
      JsonMapper.builder().propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE).build();

  /** One line of JSON; records inside with snake_case names, as the API has them. */
  static String json(Map<String, Object> result) {
    return MAPPER.writeValueAsString(result);
  }
}
