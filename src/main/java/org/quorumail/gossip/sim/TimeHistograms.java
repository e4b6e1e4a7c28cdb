package org.quorumail.gossip.sim;

import java.util.stream.LongStream;
import org.HdrHistogram.Histogram;

/** Histograms of simulated times in milliseconds. */
final class TimeHistograms {
  /** With five digits every value up to 262 s is exact, longer than any measured time. */
  private static final int SIGNIFICANT_DIGITS = 5;

  private TimeHistograms() {}

  static Histogram of(LongStream millis) {
    Histogram histogram = new Histogram(SIGNIFICANT_DIGITS);
    millis.forEach(histogram::recordValue);
    return histogram;
  }
}
