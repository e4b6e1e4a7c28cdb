package org.quorumail.node;

import java.util.List;
import org.quorumail.config.Problem;

/** What reading a configuration gave: all of it, or every problem at once. */
public sealed interface ConfigResult {
  /**
   * @param warnings what works but is probably not meant
   */
  record Valid(Config config, List<Problem> warnings) implements ConfigResult {
    public Valid {
      warnings = List.copyOf(warnings);
    }
  }

  record Invalid(List<Problem> problems) implements ConfigResult {
    public Invalid {
      problems = List.copyOf(problems);
    }

    static Invalid of(String origin, String message) {
      return new Invalid(List.of(new Problem("", origin, message)));
    }
  }
}
