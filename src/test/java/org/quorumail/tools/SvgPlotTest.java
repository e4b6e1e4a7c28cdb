package org.quorumail.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

class SvgPlotTest {
  @Test
  void aPlotIsWellFormedAndShowsEverySample() throws Exception {
    Histogram times = new Histogram(3);
    for (long millis : new long[] {30, 10, 20}) times.recordValue(millis);
    String svg =
        new SvgPlot()
            .coverage("a < b & c", List.of(new SvgPlot.Sample("one", times, 3)))
            .distribution(
                "d",
                List.of(
                    new SvgPlot.Sample("two", times, 3),
                    new SvgPlot.Sample("none", new Histogram(3), 0)))
            .toSvg();

    Document document =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)));
    assertThat(document.getElementsByTagName("polyline").getLength()).isEqualTo(1);
    assertThat(document.getDocumentElement().getTextContent())
        .contains("a < b & c", "one", "two", "none");
    assertThat(points(document)).startsWith("149.3").as("the first time").contains("448.0,0.0 ");
  }

  private static String points(Document document) {
    return ((Element) document.getElementsByTagName("polyline").item(0)).getAttribute("points");
  }
}
