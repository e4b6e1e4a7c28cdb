package org.quorumail.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HostFinderTest {
  private static final String OURS = "192.0.2.99";

  private final FakeResolver resolver = new FakeResolver();
  private final HostFinder finder =
      new HostFinder(
          resolver,
          "here.test",
          a -> a.isLoopbackAddress() || a.isAnyLocalAddress() || a.getHostAddress().equals(OURS),
          25);

  @Test
  void exchangersKeepTheirOrder() {
    resolver.mx("d.test", 10, "a.test", "192.0.2.1").mx("d.test", 20, "b.test", "192.0.2.2");
    assertThat(names("d.test")).containsExactly("a.test", "b.test");
  }

  @Test
  void hostsNoNearerThanThisOneAreLeftOut() {
    resolver
        .mx("d.test", 10, "near.test", "192.0.2.1")
        .mx("d.test", 20, "equal.test", "192.0.2.2")
        .mx("d.test", 20, "us.test", OURS)
        .mx("d.test", 30, "far.test", "192.0.2.3");
    assertThat(names("d.test")).containsExactly("near.test");
  }

  @ParameterizedTest
  @ValueSource(strings = {OURS, "127.0.0.1", "127.9.9.9", "0.0.0.0", "::1", "::ffff:127.0.0.1"})
  void anExchangerThatIsThisHostIsALoop(String address) {
    resolver.mx("d.test", 10, "us.test", address);
    assertThat(find("d.test"))
        .isInstanceOfSatisfying(
            HostLookup.None.class, n -> assertThat(n.status()).hasToString("5.4.6"));
  }

  /** Behind a load balancer or a translator the name is all that shows it. */
  @Test
  void anExchangerWithTheNameOfThisHostIsThisHost() {
    resolver
        .mx("d.test", 10, "near.test", "192.0.2.1")
        .mx("d.test", 20, "HERE.test", "192.0.2.77")
        .mx("d.test", 30, "far.test", "192.0.2.3")
        .mx("own.test", 10, "here.test", "");
    assertThat(names("d.test")).containsExactly("near.test");
    assertThat(find("own.test"))
        .isInstanceOfSatisfying(
            HostLookup.None.class, n -> assertThat(n.status()).hasToString("5.4.6"));
  }

  /** A host behind this one that cannot be looked up now is no reason to wait. */
  @Test
  void onlyNearerHostsAreWaitedFor() {
    resolver
        .mx("loop.test", 10, "us.test", OURS)
        .mx("loop.test", 10, "unknown.test", "?")
        .mx("wait.test", 10, "unknown.test", "?")
        .mx("wait.test", 20, "us.test", OURS);
    assertThat(find("loop.test")).isInstanceOf(HostLookup.None.class);
    assertThat(find("wait.test")).isInstanceOf(HostLookup.Unknown.class);
  }

  @Test
  void onlyAddressesOfTheWantedFamilyAreCalled() {
    resolver.mx("d.test", 10, "a.test", "192.0.2.1", "2001:db8::1");
    resolver.mx("d.test", 20, "b.test", "192.0.2.2");
    String wanted = "[delivery]\naddress_family = \"%s\"\n";
    assertThat(addresses(wanted.formatted("ipv4"))).containsExactly("192.0.2.1", "192.0.2.2");
    assertThat(addresses(wanted.formatted("ipv6"))).containsExactly("2001:db8:0:0:0:0:0:1");
    String own = wanted + "[delivery.domains.\"d.test\"]\naddress_family = \"ipv6\"\n";
    assertThat(addresses(own.formatted("ipv4"))).containsExactly("2001:db8:0:0:0:0:0:1");
    String preferred = "[delivery]\naddress_family = \"prefer-ipv6\"\n";
    String here = "[delivery.domains.\"d.test\"]\naddress_family = \"prefer_ipv4\"\n";
    assertThat(addresses(preferred + here)).first().isEqualTo("192.0.2.1");
    resolver.mx("four.test", 10, "b.test", "192.0.2.2");
    HostLookup none =
        finder.find(TestConfig.router(wanted.formatted("ipv6")).destination("four.test"));
    assertThat(none)
        .isInstanceOfSatisfying(
            HostLookup.Unknown.class, u -> assertThat(u.reason()).contains("family ipv6"));
  }

  private java.util.List<String> addresses(String toml) {
    return ((HostLookup.Found) finder.find(TestConfig.router(toml).destination("d.test")))
        .hosts().stream()
            .flatMap(host -> host.addresses().stream())
            .map(a -> ((java.net.InetSocketAddress) a).getAddress().getHostAddress())
            .toList();
  }

  @Test
  void anExchangerWithoutAddressIsSkipped() {
    resolver.mx("d.test", 10, "gone.test", "").mx("d.test", 20, "b.test", "192.0.2.2");
    assertThat(names("d.test")).containsExactly("b.test");
  }

  @Test
  void exchangersWithoutAnyAddressFailForGood() {
    resolver.mx("d.test", 10, "gone.test", "");
    assertThat(find("d.test"))
        .isInstanceOfSatisfying(
            HostLookup.None.class, n -> assertThat(n.status()).hasToString("5.4.4"));
  }

  @Test
  void aSmartHostMayBeOnThisMachine() {
    assertThat(route("smtp://127.0.0.1:2525")).isInstanceOf(HostLookup.Found.class);
  }

  @Test
  void aSmartHostThatIsNotFoundIsWaitedFor() {
    assertThat(route("smtp://typo.test:25")).isInstanceOf(HostLookup.Unknown.class);
  }

  @Test
  void anAddressLiteralNeedsNoLookup() {
    assertThat(names("[192.0.2.5]")).containsExactly("192.0.2.5");
    assertThat(names("[ipv6:2001:db8::5]")).containsExactly("2001:db8::5");
  }

  @Test
  void ourOwnAddressLiteralIsALoop() {
    assertThat(find("[127.0.0.1]")).isInstanceOf(HostLookup.None.class);
  }

  private HostLookup find(String domain) {
    return finder.find(TestConfig.router("").destination(domain));
  }

  private HostLookup route(String to) {
    String toml = "[[route]]\ndomain = \"*\"\nto = [\"" + to + "\"]";
    return finder.find(TestConfig.router(toml).destination("any.test"));
  }

  private java.util.List<String> names(String domain) {
    return ((HostLookup.Found) find(domain))
        .hosts().stream().map(HostLookup.TargetHost::name).toList();
  }
}
