package org.quorumail.gossip.transport;

import java.util.Locale;

/** Why a frame was dropped. None of them is answered; each is counted. */
public enum DropReason {
  /** Shorter than the frame's fixed parts. */
  TOO_SHORT,
  /** Longer than anything that we send. */
  TOO_LONG,
  /** Not our protocol, or a version of it that we do not speak. */
  VERSION,
  /** Another cluster's, by its tag. */
  OTHER_CLUSTER,
  /** Sealed with a key that is not in the ring. */
  UNKNOWN_KEY,
  /** Meant for another node. */
  OTHER_NODE,
  /** The seal is broken: forged, flipped or cut. */
  FORGED,
  /** Who was called closed the stream without proving the secret. */
  NOT_PROVEN,
  /** Said in another node's name than the sender's certificate has. */
  IMPOSTOR,
  /** This counter of this sender was here already, or is older than the window. */
  REPLAYED,
  /** The first frame of a sender that we do not know, but its clock and ours are far apart. */
  STALE,
  /** No place to remember one more sender. */
  SENDERS_FULL,
  /** Sealed by a member, but not in our format. */
  MALFORMED,
  /** Compressed, and larger than allowed once inflated. */
  INFLATED_TOO_LARGE,
  /** The gossip thread has more to do than it can. */
  QUEUE_FULL,
  /** The application that is told has more to do than it can. */
  DELEGATE_FULL,
  /** More connections than allowed. */
  CONNECTIONS_FULL;

  /** As the metrics label it. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
