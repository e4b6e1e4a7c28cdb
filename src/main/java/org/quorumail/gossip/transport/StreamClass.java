package org.quorumail.gossip.transport;

import java.util.Arrays;
import java.util.Optional;
import org.quorumail.gossip.plumtree.SendPriority;

/** What a stream carries: membership, or one class of broadcasts. */
enum StreamClass {
  MEMBERSHIP(0),
  CRITICAL(1),
  HIGH(2),
  NORMAL(3),
  LOW(4);

  private final int code;

  StreamClass(int code) {
    this.code = code;
  }

  static StreamClass of(SendPriority priority) {
    return switch (priority) {
      case CRITICAL -> CRITICAL;
      case HIGH -> HIGH;
      case NORMAL -> NORMAL;
      case LOW -> LOW;
    };
  }

  static Optional<StreamClass> ofCode(int code) {
    return Arrays.stream(values()).filter(lane -> lane.code == code).findFirst();
  }

  /** As the head of the stream says it. */
  int code() {
    return code;
  }

  /** RFC 9218's urgency: membership before everything, then as the classes are ordered. */
  int urgency() {
    return code;
  }
}
