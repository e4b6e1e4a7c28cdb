package org.quorumail.gossip.transport;

import java.util.Locale;

/** The reason for dropping a frame or message. Each drop is counted, and none is answered. */
public enum DropReason {
  /** The frame is shorter than its fixed parts. */
  TOO_SHORT,
  /** The frame is longer than any frame that a node sends. */
  TOO_LONG,
  /** The frame is of another protocol, or of another version of it. */
  VERSION,
  /** The frame carries another cluster's tag. */
  OTHER_CLUSTER,
  /** The frame is sealed with a key that is not in the ring. */
  UNKNOWN_KEY,
  /** The frame is for another node. */
  OTHER_NODE,
  /** The seal is broken: the frame is forged, flipped or cut. */
  FORGED,
  /** The called node closed the stream without proving the secret. */
  NOT_PROVEN,
  /** The message claims another node's id than the sender's certificate. */
  IMPOSTOR,
  /** The counter of this sender was received already, or is older than the window. */
  REPLAYED,
  /** The first frame of an unknown sender is too far from this node's clock. */
  STALE,
  /** There is no room to remember one more sender. */
  SENDERS_FULL,
  /** A member sealed the frame, but its content is malformed. */
  MALFORMED,
  /** The decompressed body would exceed the bound. */
  INFLATED_TOO_LARGE,
  /** The input queue of the gossip thread is full. */
  QUEUE_FULL,
  /** The queue of the application's delegate is full. */
  DELEGATE_FULL,
  /** There are more connections than allowed. */
  CONNECTIONS_FULL;

  /** The value of the metric's label {@code reason}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
