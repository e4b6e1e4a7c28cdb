package org.quorumail.node;

import java.util.List;
import org.quorumail.config.ConfigValues;
import org.quorumail.config.Problem;

/** The result of reading a configuration: all of it, or all problems at once. */
public sealed interface ConfigResult {
  /**
   * A configuration without problems.
   *
   * @param values the same by the names of the keys
   * @param warnings values that work but are probably a mistake
   * @param overridden keys of the cluster's configuration for which this node has its own value
   */
  record Valid(Config config, ConfigValues values, List<Problem> warnings, List<String> overridden)
      implements ConfigResult {
    public Valid {
      warnings = List.copyOf(warnings);
      overridden = List.copyOf(overridden);
    }
  }

  /** A configuration that cannot be used. */
  record Invalid(List<Problem> problems) implements ConfigResult {
    public Invalid {
      problems = List.copyOf(problems);
    }

    static Invalid of(String origin, String message) {
      return new Invalid(List.of(new Problem("", origin, message)));
    }
  }
}
