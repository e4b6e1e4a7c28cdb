package org.quorumail.tools;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.quorumail.gossip.sim.BroadcastScenarios;

/**
 * Simulated broadcasts alone, {@code quorumail sim broadcast}: the scenarios of docs/gossip.md, as
 * a table with one column per seed.
 */
public final class BroadcastExperiment {
  /** The heap of one simulated node with its messages on the network: 40 KiB, doubled. */
  private static final long BYTES_PER_NODE = 80 << 10;

  private BroadcastExperiment() {}

  /**
   * @param withoutFaults only the scenario without loss, death and partition
   */
  public static TextTable run(int nodes, List<Long> seeds, boolean withoutFaults)
      throws InterruptedException {
    List<Map<String, Double>> runs = new ArrayList<>();
    List<String> headings = new ArrayList<>(List.of("FIGURE"));
    for (long seed : seeds) {
      headings.add("SEED-" + seed);
      Map<String, Double> figures = new LinkedHashMap<>();
      SimulationExecutor.run(
              BroadcastScenarios.of(nodes, seed, withoutFaults), nodes * BYTES_PER_NODE)
          .forEach(figures::putAll);
      runs.add(figures);
    }
    TextTable table = new TextTable(headings.toArray(String[]::new));
    for (String figure : runs.getFirst().keySet()) {
      List<String> cells = new ArrayList<>(List.of(figure));
      for (Map<String, Double> run : runs) cells.add(cell(run.getOrDefault(figure, Double.NaN)));
      table.row(cells.toArray(String[]::new));
    }
    return table;
  }

  private static String cell(double value) {
    return Double.isNaN(value) ? "-" : String.format(Locale.ROOT, "%.3f", value);
  }
}
