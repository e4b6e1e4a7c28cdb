package org.quorumail.tools;

import java.util.ArrayList;
import java.util.List;
import org.quorumail.gossip.sim.BroadcastReport;
import org.quorumail.gossip.sim.MembershipReport;

/** The results of simulated gossip over time, as one SVG document. */
final class GossipPlots {
  private static final int MAX_SEEDS = 4;

  private GossipPlots() {}

  static String svg(List<MembershipReport> reports, List<BroadcastReport> broadcasts) {
    SvgPlot plot = new SvgPlot();
    if (!broadcasts.isEmpty()) {
      BroadcastReport first = broadcasts.getFirst();
      plot.coverage(
          "Deliveries over time since the broadcast, seed " + first.seed(),
          List.of(sample("one origin", first.warm()), sample("any origin", first.random())));
    }
    if (!reports.isEmpty()) plotDetection(plot, reports);
    return plot.toSvg();
  }

  private static SvgPlot.Sample sample(String label, BroadcastReport.Figures figures) {
    long expected =
        Math.round(figures.delays().getTotalCount() / Math.max(1e-9, figures.reliability()));
    return new SvgPlot.Sample(label, figures.delays(), expected);
  }

  private static void plotDetection(SvgPlot plot, List<MembershipReport> reports) {
    MembershipReport first = reports.getFirst();
    List<SvgPlot.Sample> coverage = new ArrayList<>();
    for (MembershipReport r : reports.subList(0, Math.min(MAX_SEEDS, reports.size()))) {
      coverage.add(
          new SvgPlot.Sample(
              "seed " + r.scenario().seed(), r.detectionDelays(), r.expectedDetections()));
    }
    plot.coverage("Views that know of a crash, over time since the crash", coverage)
        .distribution(
            "Detection times, seed " + first.scenario().seed(),
            List.of(
                new SvgPlot.Sample(
                    "first view", first.firstDetected(), first.firstDetected().getTotalCount()),
                new SvgPlot.Sample(
                    "last view", first.detectedByAll(), first.detectedByAll().getTotalCount())));
  }
}
