package org.quorumail.tools;

import java.util.Map;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.json.JsonMapper;

/** The format of a printed result. */
public enum OutputFormat {
  TEXT,
  JSON;

  private static final JsonMapper MAPPER =
      JsonMapper.builder().propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE).build();

  /** One line of JSON; records inside get snake_case names, as in the API. */
  static String json(Map<String, Object> result) {
    return MAPPER.writeValueAsString(result);
  }
}
