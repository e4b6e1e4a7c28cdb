package org.quorumail.dns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Type;

class DnsResolverTest {
  @TempDir Path etc;
  private final AtomicReference<Instant> now = new AtomicReference<>(Instant.EPOCH);
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private LoopbackNameServer server;
  private DnsResolver resolver;

  @BeforeEach
  void start() throws IOException {
    server = new LoopbackNameServer();
    DnsConfig config =
        new DnsConfig(
            List.of(server.address()),
            Duration.ofMillis(300),
            3,
            Duration.ofSeconds(1),
            Duration.ofSeconds(60));
    resolver = new DnsResolver(config, now::get, meters);
  }

  @AfterEach
  void stop() {
    server.close();
  }

  @Test
  void theBestPreferenceIsFirst() throws IOException {
    server.add("example.test", Type.MX, "20 second.test.");
    server.add("example.test", Type.MX, "10 first.test.");
    assertThat(resolver.mailExchangers("example.test"))
        .isEqualTo(
            new LookupResult.Found<>(
                List.of(
                    new MailExchanger("first.test", 10), new MailExchanger("second.test", 20))));
  }

  @Test
  void aDomainWithTwoHundredExchangersCostsNoMoreThanTwenty() throws IOException {
    for (int i = 0; i < 30; i++) server.add("many.test", Type.MX, i + " h" + i + ".t.");
    assertThat(((LookupResult.Found<MailExchanger>) resolver.mailExchangers("many.test")).values())
        .hasSize(20);
  }

  /** One attempt tries five addresses: a family that leads nowhere must leave some to the other. */
  @Test
  void theFamiliesOfAddressesAlternate() throws IOException {
    for (int i = 1; i < 6; i++) server.add("both.test", Type.A, "192.0.2." + i);
    server.add("both.test", Type.AAAA, "2001:db8::1");
    LookupResult.Found<InetAddress> found =
        (LookupResult.Found<InetAddress>) resolver.addresses("both.test");
    assertThat(found.values().get(0).getHostAddress()).startsWith("192.0.2.");
    assertThat(found.values().get(1)).isEqualTo(InetAddress.ofLiteral("2001:db8::1"));
  }

  @Test
  void aDomainWithoutExchangerIsItsOwn() throws IOException {
    server.add("bare.test", Type.A, "192.0.2.1");
    assertThat(resolver.mailExchangers("bare.test"))
        .isEqualTo(new LookupResult.Found<>(List.of(new MailExchanger("bare.test", 0))));
  }

  @Test
  void aNullMxRefusesForGood() throws IOException {
    server.add("null.test", Type.MX, "0 .");
    assertThat(status(resolver.mailExchangers("null.test"))).isEqualTo("absent 5.1.10");
  }

  @Test
  void aDomainThatDoesNotExistRefusesForGood() {
    assertThat(status(resolver.mailExchangers("nowhere.test"))).isEqualTo("absent 5.1.2");
  }

  @Test
  void aServerFailureIsTransient() throws IOException {
    server.code("ill.test", Rcode.SERVFAIL);
    assertThat(status(resolver.mailExchangers("ill.test"))).isEqualTo("unknown 4.4.3");
  }

  @Test
  void silenceIsTransientAndBounded() {
    server.silent();
    assertThat(status(resolver.mailExchangers("slow.test"))).isEqualTo("unknown 4.4.3");
    assertThat(server.queries()).isLessThanOrEqualTo(4);
  }

  @Test
  void aliasesAreFollowed() throws IOException {
    server.add("alias.test", Type.CNAME, "real.test.");
    server.add("real.test", Type.MX, "10 mx.test.");
    assertThat(resolver.mailExchangers("alias.test"))
        .isEqualTo(new LookupResult.Found<>(List.of(new MailExchanger("mx.test", 10))));
  }

  @Test
  void aliasesThatLoopAreTransient() throws IOException {
    server.add("a.test", Type.CNAME, "b.test.");
    server.add("b.test", Type.CNAME, "a.test.");
    assertThat(status(resolver.mailExchangers("a.test"))).isEqualTo("unknown 4.4.3");
  }

  @Test
  void addressesOfBothFamiliesAreFoundIpv4First() throws IOException {
    server.add("dual.test", Type.AAAA, "2001:db8::1");
    server.add("dual.test", Type.A, "192.0.2.1");
    assertThat(resolver.addresses("dual.test"))
        .isEqualTo(
            new LookupResult.Found<>(
                List.of(InetAddress.ofLiteral("192.0.2.1"), InetAddress.ofLiteral("2001:db8::1"))));
  }

  @Test
  void anAddressLiteralIsItsOwnAddress() {
    assertThat(resolver.addresses("192.0.2.7"))
        .isEqualTo(new LookupResult.Found<>(List.of(InetAddress.ofLiteral("192.0.2.7"))));
    assertThat(server.queries()).isZero();
  }

  @Test
  void anAnswerIsKeptNoLongerThanTheLongestLife() throws IOException {
    server.add("kept.test", Type.MX, "10 mx.test.");
    resolver.mailExchangers("kept.test");
    now.set(Instant.EPOCH.plusSeconds(59));
    resolver.mailExchangers("kept.test");
    assertThat(server.queries()).isEqualTo(1);
    now.set(Instant.EPOCH.plusSeconds(61));
    resolver.mailExchangers("kept.test");
    assertThat(server.queries()).isEqualTo(2);
  }

  @Test
  void whatWasLearntWhileTheClockWasAheadIsNotKeptForYears() throws IOException {
    server.add("kept.test", Type.MX, "10 mx.test.");
    now.set(Instant.EPOCH.plus(Duration.ofDays(3650)));
    resolver.mailExchangers("kept.test");
    now.set(Instant.EPOCH);
    assertThat(resolver.cached(10)).isEmpty();
    resolver.mailExchangers("kept.test");
    assertThat(server.queries()).isEqualTo(2);
  }

  @Test
  void theCacheIsBounded() throws IOException {
    for (int i = 0; i < 5; i++) {
      server.add("d" + i + ".test", Type.MX, "10 mx.test.");
      resolver.mailExchangers("d" + i + ".test");
    }
    assertThat(meters.get("dns.cache.entries").gauge().value()).isEqualTo(3);
    assertThat(meters.get("dns.cache.evictions").counter().count()).isEqualTo(2);
  }

  @Test
  void anAnswerThatHasExpiredIsNoEviction() throws IOException {
    for (int i = 0; i < 3; i++) {
      server.add("d" + i + ".test", Type.MX, "10 mx.test.");
      resolver.mailExchangers("d" + i + ".test");
    }
    assertThat(resolver.cached(2)).hasSize(2);
    now.set(Instant.EPOCH.plusSeconds(61));
    assertThat(resolver.cached(10)).isEmpty();
    assertThat(meters.get("dns.cache.entries").gauge().value()).isZero();
    assertThat(meters.get("dns.cache.evictions").counter().count()).isZero();
  }

  @Test
  void aClearedCacheAsksAgain() throws IOException {
    server.add("kept.test", Type.MX, "10 mx.test.");
    resolver.mailExchangers("kept.test");
    assertThat(resolver.clearCache()).isEqualTo(1);
    resolver.mailExchangers("kept.test");
    assertThat(server.queries()).isEqualTo(2);
    resolver.refresh("kept.test");
    assertThat(server.queries()).as("MX, and the addresses of the exchanger").isGreaterThan(2);
  }

  /** A host whose network was not up at its start, or that moves to another network. */
  @Test
  void nameServersOfTheSystemAreReadAgainWhenTheirFileChanges() throws IOException {
    DnsResolver resolver = ofSystem("127.0.0.1");
    assertThat(status(resolver.mailExchangers("new.test"))).isEqualTo("absent 5.1.2");
    try (LoopbackNameServer other =
        new LoopbackNameServer("127.0.0.2", server.address().getPort())) {
      other.add("new.test", Type.MX, "10 mx.test.");
      write("resolv.conf", "# by DHCP \u00e4\nnameserver 127.0.0.2\nsearch x.test\n");
      await().until(() -> status(resolver.mailExchangers("new.test")).equals("found"));
      write("resolv.conf", "# the network is down\n");
      resolver.clearCache();
      await()
          .during(Duration.ofMillis(1500))
          .atMost(Duration.ofSeconds(20))
          .until(() -> status(resolver.mailExchangers("new.test")).equals("found"));
    }
  }

  @Test
  void aResolvConfGivesThreeServersAndNothingElse() throws IOException {
    write(
        "resolv.conf",
        """
        nameserver 192.0.2.1 # first
        ;nameserver 192.0.2.9
         nameserver\tfe80::1%1
        nameserver ns.test
        nameservers 192.0.2.8
        nameserver 192.0.2.3
        nameserver 192.0.2.4
        """);
    assertThat(ResolvConf.servers(etc.resolve("resolv.conf"), 53))
        .extracting(a -> a.getAddress().getHostAddress())
        .containsExactly("192.0.2.1", "fe80:0:0:0:0:0:0:1%1", "192.0.2.3");
    assertThat(ResolvConf.servers(etc.resolve("none"), 53)).isEmpty();
  }

  @Test
  void theHostsFileIsReadAgainWhenItChanges() throws IOException {
    write("hosts", "192.0.2.1 next.test\n");
    DnsResolver resolver = ofSystem("127.0.0.1");
    assertThat(addresses(resolver, "next.test")).containsExactly("192.0.2.1");
    write("hosts", "192.0.2.77 next.test\n");
    await().until(() -> addresses(resolver, "next.test").equals(List.of("192.0.2.77")));
  }

  /** However long an operator wants answers to be kept: a failure is none. */
  @Test
  void aFailureIsForgottenAfterSeconds() throws IOException {
    DnsConfig config =
        new DnsConfig(
            List.of(server.address()),
            Duration.ofMillis(300),
            100,
            Duration.ofDays(1),
            Duration.ofDays(1));
    DnsResolver resolver = new DnsResolver(config, now::get, meters);
    server.code("ill.test", Rcode.SERVFAIL);
    assertThat(status(resolver.mailExchangers("ill.test"))).isEqualTo("unknown 4.4.3");
    server.code("ill.test", Rcode.NOERROR);
    now.set(Instant.EPOCH.plusSeconds(6));
    assertThat(status(resolver.mailExchangers("ill.test"))).isEqualTo("absent 5.1.2");
  }

  @Test
  void aForgottenDomainIsAskedForAgainWithItsExchangers() throws IOException {
    server.add("moved.test", Type.MX, "10 mx.moved.test.");
    server.add("mx.moved.test", Type.A, "192.0.2.1");
    resolver.mailExchangers("moved.test");
    resolver.addresses("mx.moved.test");
    int asked = server.queries();
    resolver.mailExchangers("moved.test");
    assertThat(server.queries()).isEqualTo(asked);
    resolver.forget("moved.test");
    resolver.mailExchangers("moved.test");
    resolver.addresses("mx.moved.test");
    assertThat(server.queries()).as("MX, A and AAAA").isEqualTo(2 * asked);
  }

  private DnsResolver ofSystem(String nameServer) throws IOException {
    write("resolv.conf", "nameserver " + nameServer + "\n");
    DnsConfig config =
        new DnsConfig(
            List.of(), Duration.ofMillis(300), 100, Duration.ofSeconds(1), Duration.ofDays(1));
    return new DnsResolver(config, now::get, meters, etc, server.address().getPort());
  }

  private void write(String name, String text) throws IOException {
    Files.writeString(etc.resolve(name), text, StandardCharsets.ISO_8859_1);
  }

  private static List<String> addresses(DnsResolver resolver, String host) {
    return resolver.addresses(host) instanceof LookupResult.Found<InetAddress> found
        ? found.values().stream().map(InetAddress::getHostAddress).toList()
        : List.of();
  }

  private static String status(LookupResult<?> answer) {
    return switch (answer) {
      case LookupResult.Found<?> found -> "found";
      case LookupResult.Absent<?> absent -> "absent " + absent.status();
      case LookupResult.Unknown<?> unknown -> "unknown " + unknown.status();
    };
  }
}
