package org.quorumail.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.quorumail.dns.DnsConfig;
import org.quorumail.dns.DnsResolver;
import org.quorumail.dns.LookupResult;
import org.quorumail.tools.SinkScript.SyntaxException;

/** The name server, asked by the resolver of the project. */
class DnsSimulatorTest {
  private static final String ZONES =
      """
      negative_ttl = 1

      [[name]]
      name = "example.test"
      records = ["MX 10 mx1.example.test.", "MX 20 mx2.example.test.", "TXT \\"v=spf1 -all\\""]

      [[name]]
      name = "*.example.test"
      records = ["A 127.0.0.1", "AAAA ::1"]

      [[name]]
      name = "alias.test"
      records = ["CNAME mx1.example.test."]

      [[name]]
      name = "broken.test"
      answer = "servfail"

      [[name]]
      name = "silent.test"
      answer = "timeout"

      [[name]]
      name = "big.test"
      truncate = true
      records = ["MX 10 mx1.example.test."]
      """;

  private DnsSimulator simulator;
  private DnsResolver resolver;

  @BeforeEach
  void start() throws Exception {
    simulator = DnsSimulator.start(DnsZones.parse("z.toml", ZONES), 0);
    resolver =
        new DnsResolver(
            new DnsConfig(
                List.of(new InetSocketAddress("127.0.0.1", simulator.port())),
                Duration.ofMillis(500),
                0,
                Duration.ZERO,
                Duration.ofDays(1)),
            Clock.systemUTC(),
            new SimpleMeterRegistry());
  }

  @AfterEach
  void stop() {
    simulator.close();
  }

  @Test
  void namesHaveTheRecordsOfTheirTables() {
    assertThat(found(resolver.mailExchangers("example.test")))
        .containsSubsequence("mx1.example.test", "mx2.example.test");
    assertThat(found(resolver.addresses("any.example.test"))).contains("127.0.0.1");
    assertThat(found(resolver.addresses("alias.test"))).contains("127.0.0.1");
    assertThat(found(resolver.textRecords("example.test"))).contains("v=spf1 -all");
    assertThat(simulator.queries()).containsKey("example.test. MX");
  }

  @Test
  void anAnswerThatIsTruncatedComesOverTcp() {
    assertThat(found(resolver.mailExchangers("big.test"))).contains("mx1.example.test");
    assertThat(simulator.queries().get("big.test. MX")).isEqualTo(2);
  }

  @Test
  void faultsAreWhatTheyAre() {
    assertThat(resolver.mailExchangers("missing.test"))
        .isNotInstanceOf(LookupResult.Found.class)
        .isNotEqualTo(resolver.mailExchangers("broken.test"));
    assertThat(resolver.mailExchangers("broken.test")).isNotInstanceOf(LookupResult.Found.class);
    assertThat(resolver.mailExchangers("silent.test")).isNotInstanceOf(LookupResult.Found.class);
    assertThat(simulator.queries()).containsKeys("broken.test. MX", "silent.test. MX");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "records = [\"MX mx.test.\"] | 3 | no record",
        "records = [\"NIX 1\"] | 3 | no record",
        "answer = \"perhaps\" | 3 | must be one of",
        "record = [] | 3 | records",
        "delay = \"1h\" | 3 | delay"
      })
  void aFaultIsOneSentenceWithItsLine(String line, int number, String words) {
    assertThatThrownBy(
            () -> DnsZones.parse("z.toml", "[[name]]\nname = \"a.test\"\n" + line + "\n"))
        .isInstanceOfSatisfying(SyntaxException.class, e -> assertThat(e.line()).isEqualTo(number))
        .hasMessageContaining(words);
  }

  private static String found(LookupResult<?> result) {
    assertThat(result).isInstanceOf(LookupResult.Found.class);
    return result.toString();
  }
}
