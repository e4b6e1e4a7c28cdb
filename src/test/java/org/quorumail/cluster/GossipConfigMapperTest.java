package org.quorumail.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.gossip.driver.GossipSettings;
import org.quorumail.gossip.plumtree.CompressionConfig;
import org.quorumail.gossip.swim.SwimConfig;
import org.quorumail.gossip.transport.TransportSettings;
import org.quorumail.node.Config;

class GossipConfigMapperTest {
  private static final String SECRET = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

  @TempDir private Path directory = Path.of("");

  @Test
  void withoutAWordItIsSealedUdpAndThePresets() throws Exception {
    GossipSettings settings = settings(Map.of());
    assertThat(settings.transport()).isEqualTo(new TransportSettings.SealedUdp());
    assertThat(settings.swim()).isEqualTo(SwimConfig.lan());
    assertThat(settings.peersFile()).contains(directory.resolve("peers"));
  }

  @Test
  void theBridgesKeysCount() throws Exception {
    GossipSettings settings =
        settings(
            Map.of(
                "cluster.gossip.bridge.static_seeds", "[\"127.0.0.1:5\"]",
                "cluster.gossip.bridge.lazarus_interval", "3s",
                "cluster.gossip.bridge.persistence_path", "/somewhere/else",
                "cluster.compression", "false"));
    assertThat(settings.discoveries().getFirst().find())
        .containsExactly(new InetSocketAddress("127.0.0.1", 4));
    assertThat(settings.plumtree().bridge().staticSeeds()).containsExactly("127.0.0.1:5");
    assertThat(settings.plumtree().bridge().persistencePath()).contains("/somewhere/else");
    assertThat(settings.plumtree().compression()).isEqualTo(CompressionConfig.off());
  }

  @Test
  void quicShowsTheCertificateOfReplication() throws Exception {
    assertThat(settings(Map.of("cluster.transport", "quic")).transport())
        .isInstanceOf(TransportSettings.Quic.class);
  }

  private GossipSettings settings(Map<String, String> more) throws Exception {
    Map<String, String> keys = new HashMap<>(more);
    keys.put("cluster.enabled", "true");
    keys.put("cluster.secret", SECRET);
    keys.put("cluster.seeds", "127.0.0.1:4");
    ClusterConfig cluster = Config.standalone(directory, keys).cluster();
    NodeCertificate mine =
        NodeCertificate.derive(cluster.secret().orElseThrow(), "a", Set.of("127.0.0.1"));
    MemberMetadata card =
        TestMetadata.node("a", "a-1").at("127.0.0.1", 3, 2).zone("east", "east-1").build();
    return GossipConfigMapper.settings(
        cluster, card, new NodeCredentials(mine, List.of()), directory);
  }
}
