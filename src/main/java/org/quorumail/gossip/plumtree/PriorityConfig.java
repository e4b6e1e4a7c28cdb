package org.quorumail.gossip.plumtree;

/** The depths and weights of the {@link SendQueue} of a slow link, by {@link SendPriority}. */
public record PriorityConfig(
    boolean enabled,
    int criticalDepth,
    int highDepth,
    int normalDepth,
    int lowDepth,
    int criticalWeight,
    int highWeight,
    int normalWeight,
    int lowWeight) {
  /** Depths and weights are at least 1, or a class would never be served. */
  public PriorityConfig {
    PlumtreeConfig.bounded("critical_depth", criticalDepth, 1, 65_536);
    PlumtreeConfig.bounded("high_depth", highDepth, 1, 65_536);
    PlumtreeConfig.bounded("normal_depth", normalDepth, 1, 65_536);
    PlumtreeConfig.bounded("low_depth", lowDepth, 1, 65_536);
    PlumtreeConfig.bounded("critical_weight", criticalWeight, 1, 1_024);
    PlumtreeConfig.bounded("high_weight", highWeight, 1, 1_024);
    PlumtreeConfig.bounded("normal_weight", normalWeight, 1, 1_024);
    PlumtreeConfig.bounded("low_weight", lowWeight, 1, 1_024);
  }

  public static PriorityConfig standard() {
    return new PriorityConfig(true, 64, 256, 512, 128, 8, 4, 2, 1);
  }

  int depth(SendPriority priority) {
    return switch (priority) {
      case CRITICAL -> criticalDepth;
      case HIGH -> highDepth;
      case NORMAL -> normalDepth;
      case LOW -> lowDepth;
    };
  }

  int weight(SendPriority priority) {
    return switch (priority) {
      case CRITICAL -> criticalWeight;
      case HIGH -> highWeight;
      case NORMAL -> normalWeight;
      case LOW -> lowWeight;
    };
  }
}
