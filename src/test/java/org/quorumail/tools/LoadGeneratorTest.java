package org.quorumail.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

/** The load generator and the sink test each other. */
class LoadGeneratorTest {
  private final List<String> tokens = new CopyOnWriteArrayList<>();
  private final List<Boolean> intact = new CopyOnWriteArrayList<>();

  @Test
  void everyMessageArrivesOnceAndIntactWithAConnectionEach() throws Exception {
    try (SmtpSink sink = SmtpSink.start(SmtpSink.Options.onPort(0), this::onReceived)) {
      LoadReport report = bench(sink, false, false).measure();
      assertThat(report.isGood()).isTrue();
      assertThat(report.accepted()).isEqualTo(300);
    }
    assertThat(tokens).hasSize(300).doesNotHaveDuplicates();
    assertThat(intact).containsOnly(true);
  }

  @Test
  void everyMessageArrivesOnceWithReusedAndPipelinedConnections() throws Exception {
    try (SmtpSink sink = SmtpSink.start(SmtpSink.Options.onPort(0), this::onReceived)) {
      assertThat(bench(sink, true, true).measure().accepted()).isEqualTo(300);
      assertThat(sink.messages()).isEqualTo(300);
    }
    assertThat(tokens).doesNotHaveDuplicates();
    assertThat(intact).containsOnly(true);
  }

  @Test
  void refusalsAreCountedByCode() throws Exception {
    SmtpSink.Options refusing = SmtpSink.Options.onPort(0).withFailures(0.5, 0.25, 0);
    try (SmtpSink sink = SmtpSink.start(refusing, this::onReceived)) {
      LoadReport report = bench(sink, true, false).measure();
      assertThat(report.errors()).containsKeys("451", "550");
      int failed = report.errors().values().stream().mapToInt(Integer::intValue).sum();
      assertThat(report.accepted() + failed).isEqualTo(300);
      assertThat(report.isGood()).isFalse();
    }
  }

  @Test
  void aConnectionDroppedAfterTheDotIsAnErrorAndNoDelivery() throws Exception {
    SmtpSink.Options dropping = SmtpSink.Options.onPort(0).withFailures(0, 0, 1);
    try (SmtpSink sink = SmtpSink.start(dropping, this::onReceived)) {
      LoadReport report = bench(sink, true, false).measure();
      assertThat(report.accepted()).isZero();
      assertThat(report.errors()).containsOnlyKeys("connection lost");
    }
    assertThat(tokens).isEmpty();
  }

  @Test
  void theDelayOfTheSinkShowsInTheLatency() throws Exception {
    SmtpSink.Options slow = SmtpSink.Options.onPort(0).withDelay(Duration.ofMillis(20));
    try (SmtpSink sink = SmtpSink.start(slow, this::onReceived)) {
      LoadReport report = bench(sink, true, false).measure();
      assertThat(report.dotTo250().p50()).isBetween(19.0, 200.0);
      assertThat(report.transaction().p50()).isGreaterThanOrEqualTo(report.dotTo250().p50());
    }
  }

  @Test
  void aServerThatIsNotThereIsAnErrorPerMessage() throws Exception {
    int port;
    try (SmtpSink gone = SmtpSink.start(SmtpSink.Options.onPort(0), this::onReceived)) {
      port = gone.port();
    }
    LoadOptions options = LoadOptions.of(Workload.of(2, 4, 500), loopback(port));
    LoadReport report = new LoadGenerator(options, System.out, System.err).measure();
    assertThat(report.errors()).containsEntry("connection refused", 4);
  }

  private LoadGenerator bench(SmtpSink sink, boolean reuse, boolean pipelining) {
    LoadOptions options =
        LoadOptions.of(Workload.of(5, 300, 2000), loopback(sink.port()))
            .withConnections(reuse, pipelining)
            .withTimeout(Duration.ofSeconds(30));
    return new LoadGenerator(options, System.out, System.err);
  }

  private void onReceived(SmtpSink.ReceivedMessage delivery) {
    var found = NumberedMessage.inspect(delivery.content(), delivery.length()).orElseThrow();
    tokens.add(found.token());
    intact.add(found.intact());
  }

  private static InetSocketAddress loopback(int port) {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
  }
}
