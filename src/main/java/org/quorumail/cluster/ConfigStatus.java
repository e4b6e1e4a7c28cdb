package org.quorumail.cluster;

import java.util.List;
import java.util.Objects;

/**
 * The cluster's configuration as one node runs it, part of its metadata.
 *
 * @param version the version that is in force on the node; 0 for none
 * @param problem why a later version is not; empty when there is none
 * @param overridden keys of the version for which the node's own file, environment or command line
 *     has another value; not all of many
 */
public record ConfigStatus(long version, String problem, List<String> overridden) {
  /** Metadata are small: a sentence and some keys show what to look at. */
  private static final int PROBLEM_MAX = 300;

  private static final int OVERRIDDEN_MAX = 20;

  public static final ConfigStatus NONE = new ConfigStatus(0, "", List.of());

  public ConfigStatus {
    String whole = Objects.isNull(problem) ? "" : problem; // JSON of another node may lack it
    problem = whole.length() > PROBLEM_MAX ? whole.substring(0, PROBLEM_MAX) : whole;
    List<String> all = Objects.isNull(overridden) ? List.of() : overridden;
    overridden = all.stream().limit(OVERRIDDEN_MAX).toList();
  }
}
