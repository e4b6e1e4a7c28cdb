package org.quorumail.tools;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramIterationValue;

/** A plotter of one SVG document: panels side by side, each with lines over a common time axis. */
public final class SvgPlot {
  private static final int WIDTH = 560;
  private static final int HEIGHT = 360;
  private static final int MARGIN = 56;
  private static final int BINS = 40;
  private static final int MAX_POINTS = 400;
  private static final List<String> COLOURS = List.of("#1b6ca8", "#c8553d", "#588b8b", "#8f5db7");

  private record Line(String label, double[] x, double[] y, boolean isBars) {}

  private record Panel(String title, String xLabel, String yLabel, List<Line> lines) {}

  private final List<Panel> panels = new ArrayList<>();

  /**
   * A sample of times.
   *
   * @param label label of the curve or bars
   * @param expected number of times that counts as 100 %, at least the size of the sample
   */
  public record Sample(String label, Histogram times, long expected) {}

  /** Adds a panel of coverage: the share of each sample, in percent, over milliseconds. */
  public SvgPlot coverage(String title, List<Sample> samples) {
    List<Line> lines = new ArrayList<>();
    for (Sample sample : samples) {
      Histogram times = sample.times();
      int points = (int) Math.min(times.getTotalCount(), MAX_POINTS);
      double percentOfAll = 100.0 * times.getTotalCount() / Math.max(1, sample.expected());
      double[] x = new double[points + 1];
      double[] y = new double[points + 1];
      for (int i = 1; i <= points; i++) {
        x[i] = times.getValueAtPercentile(100.0 * i / points);
        y[i] = percentOfAll * i / points;
      }
      if (points > 0) x[0] = times.getMinValue();
      lines.add(new Line(sample.label(), x, y, false));
    }
    panels.add(new Panel(title, "milliseconds", "percent", lines));
    return this;
  }

  /** Adds a panel with a histogram of each sample over milliseconds. */
  public SvgPlot distribution(String title, List<Sample> samples) {
    long max = 1;
    for (Sample sample : samples) max = Math.max(max, sample.times().getMaxValue());
    List<Line> lines = new ArrayList<>();
    for (Sample sample : samples) {
      double[] x = new double[BINS];
      double[] y = new double[BINS];
      for (int i = 0; i < BINS; i++) x[i] = (i + 0.5) * max / BINS;
      for (HistogramIterationValue time : sample.times().recordedValues()) {
        int bin = (int) Math.min(BINS - 1, time.getValueIteratedTo() * BINS / max);
        y[bin] += time.getCountAtValueIteratedTo();
      }
      lines.add(new Line(sample.label(), x, y, true));
    }
    panels.add(new Panel(title, "milliseconds", "count", lines));
    return this;
  }

  /** The document. */
  public String toSvg() {
    StringBuilder out = new StringBuilder();
    int width = WIDTH * Math.max(1, panels.size());
    out.append(
        format(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
                + "font-family=\"sans-serif\" font-size=\"12\">%n",
            width, HEIGHT));
    out.append(format("<rect width=\"%d\" height=\"%d\" fill=\"white\"/>%n", width, HEIGHT));
    for (int i = 0; i < panels.size(); i++) draw(out, panels.get(i), i * WIDTH);
    return out.append("</svg>\n").toString();
  }

  private static void draw(StringBuilder out, Panel panel, int left) {
    double maxX = 1;
    double maxY = 1;
    for (Line line : panel.lines) {
      for (double x : line.x) maxX = Math.max(maxX, x);
      for (double y : line.y) maxY = Math.max(maxY, y);
    }
    int plotWidth = WIDTH - 2 * MARGIN;
    int plotHeight = HEIGHT - 2 * MARGIN;
    out.append(format("<g transform=\"translate(%d,%d)\">%n", left + MARGIN, MARGIN));
    text(out, plotWidth / 2.0, -20, "middle", panel.title);
    text(out, plotWidth / 2.0, plotHeight + 40, "middle", panel.xLabel);
    text(out, 0, -6, "middle", panel.yLabel);
    for (int i = 0; i <= 4; i++) {
      double x = plotWidth * i / 4.0;
      double y = plotHeight - plotHeight * i / 4.0;
      out.append(
          format(
              "<path d=\"M0 %.1fH%d M%.1f 0V%d\" stroke=\"#ddd\" fill=\"none\"/>%n",
              y, plotWidth, x, plotHeight));
      text(out, x, plotHeight + 18, "middle", number(maxX * i / 4));
      text(out, -6, y + 4, "end", number(maxY * i / 4));
    }
    for (int i = 0; i < panel.lines.size(); i++) {
      Line line = panel.lines.get(i);
      String colour = COLOURS.get(i % COLOURS.size());
      if (line.isBars) bars(out, line, i, panel.lines.size(), colour, maxX, maxY);
      else curve(out, line, colour, maxX, maxY);
      out.append(
          format(
              "<rect x=\"%d\" y=\"%d\" width=\"10\" height=\"10\" fill=\"%s\"/>%n",
              plotWidth - 130, 8 + 16 * i, colour));
      text(out, plotWidth - 114, 17 + 16 * i, "start", line.label);
    }
    out.append("</g>\n");
  }

  private static void curve(StringBuilder out, Line line, String colour, double maxX, double maxY) {
    out.append("<polyline fill=\"none\" stroke-width=\"2\" stroke=\"").append(colour);
    out.append("\" points=\"");
    for (int i = 0; i < line.x.length; i++) {
      out.append(format("%.1f,%.1f ", toX(line.x[i], maxX), toY(line.y[i], maxY)));
    }
    out.append("\"/>\n");
  }

  private static void bars(
      StringBuilder out, Line line, int index, int count, String colour, double maxX, double maxY) {
    double slot = (WIDTH - 2.0 * MARGIN) / BINS;
    double width = slot / count;
    for (int i = 0; i < line.x.length; i++) {
      if (line.y[i] == 0) continue;
      double top = toY(line.y[i], maxY);
      out.append(
          format(
              "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>%n",
              toX(line.x[i], maxX) - slot / 2 + index * width,
              top,
              width,
              HEIGHT - 2.0 * MARGIN - top,
              colour));
    }
  }

  private static double toX(double value, double max) {
    return (WIDTH - 2.0 * MARGIN) * value / max;
  }

  private static double toY(double value, double max) {
    double height = HEIGHT - 2.0 * MARGIN;
    return height - height * value / max;
  }

  private static void text(StringBuilder out, double x, double y, String anchor, String label) {
    String safe = label.replace("&", "&amp;").replace("<", "&lt;");
    out.append(
        format("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>%n", x, y, anchor, safe));
  }

  private static String number(double value) {
    return value >= 10 || value == Math.rint(value)
        ? String.valueOf(Math.round(value))
        : format("%.1f", value);
  }

  private static String format(String pattern, Object... values) {
    return String.format(Locale.ROOT, pattern.replace("%n", "\n"), values);
  }
}
