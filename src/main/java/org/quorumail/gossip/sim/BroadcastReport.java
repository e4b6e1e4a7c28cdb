package org.quorumail.gossip.sim;

/**
 * What a broadcast run measured.
 *
 * @param warm one origin's own tree
 * @param random every broadcast from another node
 * @param afterKill survivors' share of deliveries of the first broadcast after the kill; 1 without
 * @param events handled by the engine
 */
public record BroadcastReport(
    long seed, Figures warm, Figures random, double afterKill, long events) {
  /**
   * @param reliability delivered of all that should have been, 0 to 1
   * @param redundancy RMR: payloads sent per receiver, less one; mean
   * @param lastHop LDH: links that the last payload crossed; worst
   * @param bytesPerNode per broadcast, with IP and UDP headers; mean
   * @param delays from broadcast to each delivery, milliseconds
   * @param toAll from broadcast to the last delivery
   */
  public record Figures(
      double reliability,
      double redundancy,
      int lastHop,
      double bytesPerNode,
      Percentiles delays,
      Percentiles toAll) {}
}
