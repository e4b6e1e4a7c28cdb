package org.quorumail.gossip.swim;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.NodeId;

/**
 * One member's time to refute an accusation. It starts long and shrinks to the minimum as
 * independent accusers confirm it (Lifeguard, section IV-B). It is {@code max - (max - min) x log(C
 * + 1) / log(k + 1)} with C of k confirmations.
 */
final class Suspicion {
  private final long start;
  private final int min;
  private final int max;
  private final int confirmationsWanted;
  private NodeId[] accusers;
  private boolean firstHand;
  private int extensions;

  /** The timer at the expiry; {@link MemberTransitions} resets it as the time shrinks. */
  TimerQueue.@Nullable Timer expiryTimer;

  Suspicion(NodeId accuser, long start, int min, int maxFactor, int confirmationsWanted) {
    this.start = start;
    this.min = min;
    this.max = confirmationsWanted < 1 ? min : min * maxFactor;
    this.confirmationsWanted = confirmationsWanted;
    this.accusers = new NodeId[] {accuser};
  }

  /** Adds an accuser; returns whether it is new and shortens the wait. */
  boolean confirm(NodeId accuser) {
    if (accusers.length > confirmationsWanted || Arrays.asList(accusers).contains(accuser)) {
      return false;
    }
    long before = expiry();
    accusers = Arrays.copyOf(accusers, accusers.length + 1);
    accusers[accusers.length - 1] = accuser;
    assert expiry() <= before : "a confirmation never lengthens a suspicion";
    return true;
  }

  int confirmations() {
    return accusers.length - 1;
  }

  long expiry() {
    if (confirmationsWanted < 1) return start + min;
    double share = Math.log(confirmations() + 1.0) / Math.log(confirmationsWanted + 1.0);
    return start + Math.max(min, Math.round(max - (max - min) * share));
  }

  /** An own probe failed too, so this node is one of those that decide. */
  void markFirstHand() {
    firstHand = true;
  }

  boolean isFirstHand() {
    return firstHand;
  }

  /** Counts an extension, made because the suspect answered this node; returns their number. */
  int extend() {
    return ++extensions;
  }
}
