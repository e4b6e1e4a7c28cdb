package org.quorumail.gossip.swim;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.NodeId;

/**
 * One member's time to refute. It starts long and shrinks to the minimum as independent accusers
 * confirm it (Lifeguard, section IV-B): {@code max - (max - min) x log(C + 1) / log(k + 1)} with C
 * of k confirmations.
 */
final class Suspicion {
  private final long start;
  private final int min;
  private final int max;
  private final int confirmationsWanted;
  private NodeId[] accusers;
  private boolean firstHand;
  private int extensions;

  /** When its time is up; whoever watches over it sets it anew as it shrinks. */
  TimerQueue.@Nullable Timer expiryTimer;

  Suspicion(NodeId accuser, long start, int min, int maxFactor, int wanted) {
    this.start = start;
    this.min = min;
    this.max = wanted < 1 ? min : min * maxFactor;
    this.confirmationsWanted = wanted;
    this.accusers = new NodeId[] {accuser};
  }

  /** Whether this accuser is new and still shortens the wait. */
  boolean confirm(NodeId accuser) {
    if (accusers.length > confirmationsWanted || Arrays.asList(accusers).contains(accuser))
      return false;
    accusers = Arrays.copyOf(accusers, accusers.length + 1);
    accusers[accusers.length - 1] = accuser;
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

  /** This node found out by itself, so it is one of those that decide. */
  void markFirstHand() {
    firstHand = true;
  }

  boolean isFirstHand() {
    return firstHand;
  }

  /** Counts a postponement because the suspect did answer this node. */
  int extend() {
    return ++extensions;
  }
}
