package org.quorumail.gossip.swim;

import java.util.List;

/** The messages of one datagram, or of one frame on a stream; in the order they are handled. */
public record SwimPacket(List<SwimMessage> messages) {
  public SwimPacket {
    messages = List.copyOf(messages);
  }

  public static SwimPacket of(SwimMessage... messages) {
    return new SwimPacket(List.of(messages));
  }
}
