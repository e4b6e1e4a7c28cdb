package org.quorumail.tools;

import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;
import org.HdrHistogram.Histogram;
import org.quorumail.gossip.sim.BroadcastReport;
import org.quorumail.gossip.sim.MembershipReport;

/** The results of simulated gossip as tables: one row per seed, then the worst. */
final class GossipTables {
  private GossipTables() {}

  static void printMembership(List<MembershipReport> reports, PrintWriter out) {
    TextTable table =
        new TextTable(
            "SEED",
            "FIRST-DEAD p50/p99",
            "ALL-DEAD p50/p99",
            "UNDETECTED",
            "FALSE-DEATHS/NODE-H",
            "SUSPICIONS/NODE-H",
            "HEALED",
            "MSG/S",
            "BYTES/S");
    for (MembershipReport r : reports) table.row(cells(String.valueOf(r.scenario().seed()), r));
    if (reports.size() > 1) {
      table.row(
          "worst",
          pair(
              longest(reports, r -> percentile(r.firstDetected(), 50)),
              longest(reports, r -> percentile(r.firstDetected(), 99))),
          pair(
              longest(reports, r -> percentile(r.detectedByAll(), 50)),
              longest(reports, r -> percentile(r.detectedByAll(), 99))),
          String.valueOf((int) worst(reports, MembershipReport::undetected)),
          decimal(worst(reports, MembershipReport::falseDeathsPerNodeHour)),
          decimal(worst(reports, MembershipReport::falseSuspicionsPerNodeHour)),
          reports.stream().anyMatch(r -> r.healed() == -2)
              ? "never"
              : seconds(longest(reports, MembershipReport::healed)),
          decimal(worst(reports, MembershipReport::messagesPerSecond)),
          String.valueOf(Math.round(worst(reports, MembershipReport::bytesPerSecond))));
    }
    table.print(out);
  }

  private static String[] cells(String name, MembershipReport r) {
    return new String[] {
      name,
      pair(percentile(r.firstDetected(), 50), percentile(r.firstDetected(), 99)),
      pair(percentile(r.detectedByAll(), 50), percentile(r.detectedByAll(), 99)),
      String.valueOf(r.undetected()),
      decimal(r.falseDeathsPerNodeHour()),
      decimal(r.falseSuspicionsPerNodeHour()),
      r.healed() == -2 ? "never" : seconds(r.healed()),
      decimal(r.messagesPerSecond()),
      String.valueOf(Math.round(r.bytesPerSecond()))
    };
  }

  private static double worst(
      List<MembershipReport> reports, ToDoubleFunction<MembershipReport> value) {
    return reports.stream().mapToDouble(value).max().orElse(0);
  }

  private static long longest(
      List<MembershipReport> reports, ToLongFunction<MembershipReport> value) {
    return reports.stream().mapToLong(value).max().orElse(0);
  }

  /** The value at a percentile, or -1 without any value. */
  private static long percentile(Histogram millis, double percentile) {
    return millis.getTotalCount() == 0 ? -1 : millis.getValueAtPercentile(percentile);
  }

  private static String pair(long p50, long p99) {
    return seconds(p50) + "/" + seconds(p99);
  }

  private static String seconds(long millis) {
    return millis < 0 ? "-" : String.format(Locale.ROOT, "%.1fs", millis / 1_000.0);
  }

  private static String decimal(double value) {
    return String.format(Locale.ROOT, "%.2f", value);
  }

  static void printBroadcasts(List<BroadcastReport> reports, PrintWriter out) {
    TextTable table =
        new TextTable(
            "SEED",
            "ORIGIN",
            "RELIABILITY",
            "RMR",
            "LDH",
            "BYTES/NODE",
            "TO-ALL p50/max",
            "AFTER-KILL");
    for (BroadcastReport r : reports) {
      table.row(cells(r, "one", r.warm(), "-"));
      String afterKill = String.format(Locale.ROOT, "%.5f", r.afterKill());
      table.row(cells(r, "any", r.random(), afterKill));
    }
    table.print(out);
  }

  private static String[] cells(
      BroadcastReport report, String origin, BroadcastReport.Figures f, String afterKill) {
    return new String[] {
      String.valueOf(report.seed()),
      origin,
      String.format(Locale.ROOT, "%.6f", f.reliability()),
      decimal(f.redundancy()),
      String.valueOf(f.lastHop()),
      String.valueOf(Math.round(f.bytesPerNode())),
      percentile(f.toAll(), 50) + "/" + percentile(f.toAll(), 100) + "ms",
      afterKill
    };
  }
}
