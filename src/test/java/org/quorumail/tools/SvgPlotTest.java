package org.quorumail.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.quorumail.gossip.sim.Percentiles;
import org.w3c.dom.Document;

class SvgPlotTest {
  @Test
  void aPlotIsWellFormedAndShowsEverySample() throws Exception {
    Percentiles times = Percentiles.of(new long[] {30, 10, 20});
    String svg =
        new SvgPlot()
            .coverage("a < b & c", List.of(new SvgPlot.Sample("one", times, 3)))
            .distribution(
                "d",
                List.of(
                    new SvgPlot.Sample("two", times, 3),
                    new SvgPlot.Sample("none", Percentiles.of(new long[0]), 0)))
            .toSvg();

    Document document =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)));
    assertThat(document.getElementsByTagName("polyline").getLength()).isEqualTo(1);
    assertThat(document.getDocumentElement().getTextContent())
        .contains("a < b & c", "one", "two", "none");
    assertThat(times.at(0.5)).isEqualTo(20);
    assertThat(times.max()).isEqualTo(30);
  }
}
