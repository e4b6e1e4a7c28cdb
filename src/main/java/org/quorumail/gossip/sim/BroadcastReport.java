package org.quorumail.gossip.sim;

import org.HdrHistogram.Histogram;

/**
 * The measurements of a broadcast run.
 *
 * @param warm broadcasts of one origin on its warm tree
 * @param random broadcasts of a random origin each
 * @param afterKill share of the survivors that received the first broadcast after the kill; 1
 *     without a kill
 * @param events events that the engine has handled
 */
public record BroadcastReport(
    long seed, Figures warm, Figures random, double afterKill, long events) {
  /**
   * The measurements of several broadcasts.
   *
   * @param reliability share of the expected deliveries, 0 to 1
   * @param redundancy RMR: payloads sent per receiver, less one; mean
   * @param lastHop LDH: links that the last payload crossed; worst
   * @param bytesPerNode bytes per broadcast, with IP and UDP headers; mean
   * @param delays from broadcast to each delivery, milliseconds
   * @param toAll from broadcast to the last delivery, milliseconds
   */
  public record Figures(
      double reliability,
      double redundancy,
      int lastHop,
      double bytesPerNode,
      Histogram delays,
      Histogram toAll) {}
}
