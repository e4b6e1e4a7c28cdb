package org.quorumail.gossip.swim;

import java.util.List;

/** The messages of one datagram or one stream frame, in the order in which they are handled. */
public record SwimPacket(List<SwimMessage> messages) {
  public SwimPacket {
    messages = List.copyOf(messages);
  }

  public static SwimPacket of(SwimMessage... messages) {
    return new SwimPacket(List.of(messages));
  }
}
