package org.quorumail.gossip.discovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.quorumail.gossip.transport.FrameFormat;
import org.quorumail.gossip.transport.KeyRing;
import org.quorumail.gossip.transport.SealTest;
import org.quorumail.gossip.transport.Sealer;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.SRVRecord;

class DiscoveryTest {
  private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();

  @Test
  void staticNamesAreResolvedEachTimeAndUnknownOnesSkipped() throws Exception {
    StaticDiscovery some =
        new StaticDiscovery(
            List.of(new SeedAddress("127.0.0.1", 1), new SeedAddress("no-such-host.invalid", 2)));
    assertThat(some.find()).containsExactly(new InetSocketAddress("127.0.0.1", 1));
    StaticDiscovery none = new StaticDiscovery(List.of(new SeedAddress("no-such-host.invalid", 2)));
    assertThatThrownBy(none::find)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("no-such-host.invalid");
  }

  @Test
  void aHeadlessServiceWithoutPodsFindsNobody() throws Exception {
    List<InetAddress> pods = new ArrayList<>();
    DnsDiscovery dns =
        new DnsDiscovery(
            "mail.default.svc.cluster.local",
            7946,
            name -> {
              if (pods.isEmpty()) throw new UnknownHostException(name);
              return pods.toArray(InetAddress[]::new);
            },
            name -> List.of());
    assertThat(dns.find()).isEmpty();
    pods.add(InetAddress.getByName("10.0.0.1"));
    pods.add(InetAddress.getByName("2001:db8::2"));
    assertThat(dns.find())
        .containsExactly(
            new InetSocketAddress("10.0.0.1", 7946), new InetSocketAddress("2001:db8::2", 7946));
  }

  @Test
  void serviceRecordsGiveHostsAndPorts() throws Exception {
    Map<String, String> hosts = Map.of("n1.example.org", "10.0.0.1", "n2.example.org", "10.0.0.2");
    Name service = Name.fromString("_gossip._udp.example.org.");
    DnsDiscovery dns =
        new DnsDiscovery(
            "_gossip._udp.example.org",
            7946,
            name -> {
              String address = hosts.get(name);
              if (address == null) throw new UnknownHostException(name);
              return new InetAddress[] {InetAddress.getByName(address)};
            },
            name ->
                List.of(
                    srv(service, 8000, "n1.example.org."),
                    srv(service, 8001, "n2.example.org."),
                    srv(service, 8002, "not-ready-yet.example.org.")));
    assertThat(dns.find())
        .containsExactly(
            new InetSocketAddress("10.0.0.1", 8000), new InetSocketAddress("10.0.0.2", 8001));
  }

  @Test
  void nodesOfOneSecretFindEachOtherByMulticastAndNobodyElse() throws Exception {
    InetSocketAddress group =
        new InetSocketAddress("239.255.77." + (1 + new java.util.Random().nextInt(250)), 17_946);
    InetSocketAddress atA = new InetSocketAddress("127.0.0.1", 1001);
    InetSocketAddress atB = new InetSocketAddress("127.0.0.1", 1002);
    InetSocketAddress atC = new InetSocketAddress("127.0.0.1", 1003);
    try (MulticastDiscovery a =
            MulticastDiscovery.join(SealTest.ring("one", 1), "a", group, LOOPBACK, atA);
        MulticastDiscovery b =
            MulticastDiscovery.join(SealTest.ring("one", 1), "b", group, LOOPBACK, atB);
        MulticastDiscovery stranger =
            MulticastDiscovery.join(SealTest.ring("one", 2), "c", group, LOOPBACK, atC)) {
      await()
          .atMost(Duration.ofSeconds(30))
          .untilAsserted(
              () -> {
                assertThat(a.find()).containsExactlyInAnyOrder(atA, atB);
                assertThat(b.find()).containsExactlyInAnyOrder(atA, atB);
                assertThat(stranger.find()).containsExactly(atC);
              });
    }
  }

  @Test
  void anEmptyAnnouncementIsIgnored() throws Exception {
    InetSocketAddress group =
        new InetSocketAddress("239.255.78." + (1 + new java.util.Random().nextInt(250)), 17_947);
    InetSocketAddress at = new InetSocketAddress("127.0.0.1", 1001);
    KeyRing ring = SealTest.ring("one", 1);
    byte[] empty =
        new Sealer(ring, java.time.Clock.systemUTC())
            .seal(FrameFormat.ANNOUNCEMENT, java.util.OptionalInt.empty(), new byte[0]);
    try (MulticastDiscovery a = MulticastDiscovery.join(ring, "a", group, LOOPBACK, at);
        java.net.MulticastSocket member = new java.net.MulticastSocket()) {
      await().atMost(Duration.ofSeconds(10)).until(() -> a.find().size() == 1);
      member.setNetworkInterface(java.net.NetworkInterface.getByInetAddress(LOOPBACK));
      member.send(new java.net.DatagramPacket(empty, empty.length, group));
      InetSocketAddress atB = new InetSocketAddress("127.0.0.1", 1002);
      try (MulticastDiscovery b = MulticastDiscovery.join(ring, "b", group, LOOPBACK, atB)) {
        await().atMost(Duration.ofSeconds(10)).until(() -> a.find().contains(atB));
      }
    }
  }

  @Test
  void aFailingOrHangingSourceDoesNotBlockTheOthers() throws Exception {
    InetSocketAddress there = new InetSocketAddress("127.0.0.1", 1);
    InetSocketAddress late = new InetSocketAddress("127.0.0.1", 2);
    java.util.concurrent.CountDownLatch asked = new java.util.concurrent.CountDownLatch(1);
    NodeDiscovery hangs =
        () -> {
          asked.await();
          return List.of(late);
        };
    NodeDiscovery fails =
        () -> {
          throw new IllegalStateException("a custom one's own fault");
        };
    NodeDiscovery lacksAClass =
        () -> {
          throw new NoClassDefFoundError("left out of the jar");
        };
    NodeDiscovery saysNothing = () -> Arrays.asList(there, null);
    List<NodeDiscovery> ways =
        List.of(hangs, fails, lacksAClass, saysNothing, () -> List.of(there));
    try (DiscoveryPoller discoveries = new DiscoveryPoller(ways)) {
      assertThat(discoveries.find()).containsExactly(there);
      asked.countDown();
      await().untilAsserted(() -> assertThat(discoveries.find()).containsExactly(late, there));
    }
  }

  @Test
  void anOrdinaryAddressIsNotAMulticastGroup() {
    assertThatThrownBy(
            () ->
                MulticastDiscovery.join(
                    SealTest.ring("one", 1),
                    "a",
                    new InetSocketAddress("10.0.0.1", 7946),
                    LOOPBACK,
                    new InetSocketAddress("127.0.0.1", 1)))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("not a multicast address");
  }

  private static SRVRecord srv(Name service, int port, String target) throws IOException {
    return new SRVRecord(service, DClass.IN, 30, 0, 0, port, Name.fromString(target));
  }
}
