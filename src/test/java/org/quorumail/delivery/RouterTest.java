package org.quorumail.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.quorumail.config.HostPort;
import org.quorumail.smtp.client.TlsRule;

class RouterTest {
  private final Router router =
      TestConfig.router(
          """
          [[route]]
          domain = "*.inside.test"
          to = ["lmtp://127.0.0.1:24"]
          [[route]]
          domain = "direct.test"
          to = ["mx"]
          [[route]]
          domain = "*"
          to = ["smtp://relay.test:25"]
          [delivery.domains."special.test"]
          mx_override = "gate.test:2525"
          require_tls = true
          max_connections = 3
          [delivery.domains."slow.test"]
          rate_limit = "1/s burst 2"
          """);

  @Test
  void theFirstRouteThatFitsCounts() {
    assertThat(router.destination("a.inside.test").name()).isEqualTo("lmtp://127.0.0.1:24");
    assertThat(router.destination("other.test").name()).isEqualTo("smtp://relay.test:25");
  }

  @Test
  void domainsOfOneSmartHostShareADestination() {
    assertThat(router.destination("one.test")).isEqualTo(router.destination("two.test"));
  }

  @Test
  void otherRoutesCountFromTheNextDestinationOn() {
    Router changed = TestConfig.router("");
    assertThat(changed.destination("a.test").name()).isEqualTo("mx:a.test");
    changed.replaceRoutes(
        TestConfig.of("[[route]]\ndomain = \"a.test\"\nto = [\"discard\"]\n").routes());
    assertThat(changed.destination("a.test").hops()).containsExactly(new NextHop.Discard());
    changed.replaceRoutes(List.of());
    assertThat(changed.destination("a.test").name()).isEqualTo("mx:a.test");
  }

  @Test
  void aDomainWithOtherSettingsIsAnotherDestinationFromThenOn() {
    Router changed = TestConfig.router("");
    Destination before = changed.destination("a.test");
    Destination other = changed.destination("b.test");
    var two = TestConfig.of("[delivery.domains.\"a.test\"]\nmax_connections = 2\n").delivery();
    changed.replaceDomains(two.domains());
    Destination after = changed.destination("a.test");
    assertThat(after.maxConnections()).isEqualTo(2);
    assertThat(after).as("no connection of before is used").isNotEqualTo(before);
    assertThat(changed.destination("b.test")).isEqualTo(other);
    changed.replaceDomains(two.domains());
    assertThat(changed.destination("a.test")).isEqualTo(after);
    changed.replaceDomains(java.util.Map.of());
    assertThat(changed.destination("a.test"))
        .isNotEqualTo(before)
        .isNotEqualTo(after)
        .extracting(Destination::maxConnections)
        .isEqualTo(before.maxConnections());
  }

  @Test
  void domainsThatAreLookedUpDoNot() {
    Router plain = TestConfig.router("");
    assertThat(plain.destination("one.test")).isNotEqualTo(plain.destination("two.test"));
    assertThat(router.destination("direct.test").hops()).containsExactly(new NextHop.Mx());
  }

  @Test
  void anOverrideGoesBeforeRoutes() {
    Destination special = router.destination("special.test");
    assertThat(special.hops())
        .containsExactly(new NextHop.Smtp(new HostPort("gate.test", 2525), 10, 100));
    assertThat(special.tls()).isEqualTo(TlsRule.VERIFIED);
    assertThat(special.maxConnections()).isEqualTo(3);
  }

  @Test
  void requiredTlsVerifiesUnlessAnyCertificateWillDo() {
    String required = "[delivery.domains.\"d.test\"]\nrequire_tls = true\n";
    assertThat(tls(required)).isEqualTo(TlsRule.VERIFIED);
    assertThat(tls(required + "accept_invalid_certs = true")).isEqualTo(TlsRule.ENCRYPTED);
    assertThat(tls("[delivery]\naccept_invalid_certs = true\n" + required))
        .isEqualTo(TlsRule.ENCRYPTED);
    assertThat(tls("")).isEqualTo(TlsRule.OPPORTUNISTIC);
  }

  @Test
  void theNameThatUnsignedDnsGivesAnExchangerProvesNothing() {
    String required = "[delivery.domains.\"d.test\"]\nrequire_tls = true\n";
    assertThat(names(required, false)).containsExactly("d.test", ".d.test");
    assertThat(names(required, true)).as("the host's own name").isEmpty();
    String given = required + "tls_names = [\"MX.Other.test\", \".net.test\", \"mx\"]\n";
    assertThat(names(given, false)).containsExactly("mx.other.test", ".net.test", "h.test");
    assertThat(names(given, true)).containsExactly("mx.other.test", ".net.test", "h.test");
    assertThat(names(required + "tls_names = [\"mx\"]", false)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "require_tls = true\ntls_names = [\".test\"]",
        "require_tls = true\ntls_names = [\"*.d.test\"]",
        "require_tls = true\ntls_names = [\"192.0.2.1\"]",
        "tls_names = [\"mx\"]",
        "require_tls = true\naccept_invalid_certs = true\ntls_names = [\"mx\"]"
      })
  void namesThatMeanNothingAreRefused(String domain) {
    assertThatThrownBy(() -> TestConfig.of("[delivery.domains.\"d.test\"]\n" + domain))
        .hasMessageContaining("tls_names");
  }

  private static List<String> names(String toml, boolean configured) {
    return TestConfig.router(toml).destination("d.test").certificateNames("h.test", configured);
  }

  private static TlsRule tls(String toml) {
    return TestConfig.router(toml).destination("d.test").tls();
  }

  @Test
  void aDomainWithLimitsOfItsOwnHasADestinationOfItsOwn() {
    Destination slow = router.destination("slow.test");
    assertThat(slow).isNotEqualTo(router.destination("other.test"));
    assertThat(slow.rateLimit()).isPresent();
  }

  @Test
  void lowerPriorityNumbersAreTriedFirst() {
    List<NextHop> hops = List.of(smtp("b", 20, 100), smtp("a", 10, 100));
    assertThat(Router.inAttemptOrder(hops, new SplittableRandom(1)))
        .containsExactly(smtp("a", 10, 100), smtp("b", 20, 100));
  }

  @Test
  void equalPrioritiesAreDrawnByWeight() {
    List<NextHop> hops = List.of(smtp("a", 10, 90), smtp("b", 10, 10));
    SplittableRandom random = new SplittableRandom(1);
    int first = 0;
    for (int i = 0; i < 1000; i++) {
      if (Router.inAttemptOrder(hops, random).getFirst().equals(smtp("a", 10, 90))) first++;
    }
    assertThat(first).isBetween(850, 950);
  }

  private static NextHop smtp(String host, int priority, int weight) {
    return new NextHop.Smtp(new HostPort(host, 25), priority, weight);
  }
}
