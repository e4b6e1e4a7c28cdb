package org.quorumail.gossip;

/** Depths and weights of the queues of a slow link, by {@link Priority}. */
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
  public static PriorityConfig standard() {
    return new PriorityConfig(true, 64, 256, 512, 128, 8, 4, 2, 1);
  }

  int depth(Priority priority) {
    return switch (priority) {
      case CRITICAL -> criticalDepth;
      case HIGH -> highDepth;
      case NORMAL -> normalDepth;
      case LOW -> lowDepth;
    };
  }

  int weight(Priority priority) {
    return switch (priority) {
      case CRITICAL -> criticalWeight;
      case HIGH -> highWeight;
      case NORMAL -> normalWeight;
      case LOW -> lowWeight;
    };
  }
}
