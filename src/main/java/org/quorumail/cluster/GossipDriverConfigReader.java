package org.quorumail.cluster;

import java.nio.file.Path;
import org.quorumail.config.HostPort;
import org.quorumail.config.Section;
import org.quorumail.config.Units;
import org.quorumail.gossip.plumtree.BridgeConfig;
import org.quorumail.gossip.plumtree.CompressionConfig;
import org.quorumail.gossip.plumtree.CompressionConfig.Algorithm;
import org.quorumail.gossip.plumtree.PriorityConfig;

/**
 * The reader of the tables of {@code [cluster.gossip]} that belong to the driver, not to the core.
 */
final class GossipDriverConfigReader {
  private GossipDriverConfigReader() {}

  static BridgeConfig bridge(Section s, BridgeConfig d) {
    return new BridgeConfig(
        s.flag("log_changes", d.logChanges(), "log neighbours that come and go; false: for debug"),
        s.flag("auto_promote", d.autoPromote(), "new neighbours are eager at once"),
        s.list(
            "static_seeds",
            "host:port",
            d.staticSeeds(),
            "seeds beside cluster.seeds",
            text -> HostPort.parse(text, ClusterConfigReader.GOSSIP_PORT).toString()),
        s.flag(
            "lazarus_enabled",
            d.lazarusEnabled(),
            "nodes that are gone are asked again; false: a partition outlives its healing"),
        s.duration(
            "lazarus_interval",
            Units.format(d.lazarusInterval()),
            "1s",
            "1h",
            "one that is gone is asked again this often"),
        s.optional(
            "persistence_path",
            "path",
            "(peers in the data directory)",
            "file for the addresses of the members",
            text -> Path.of(text).toString()));
  }

  static CompressionConfig compression(Section s, CompressionConfig d) {
    Algorithm algorithm =
        s.choice("algorithm", Algorithm.class, d.algorithm(), "how what is sent is compressed");
    int level = s.integer("level", d.level(), 1, 22, "more is smaller and slower; gzip: up to 9");
    if (algorithm == Algorithm.GZIP && level > 9) s.problem("level", "must be 1 to 9 for gzip");
    return new CompressionConfig(
        s.flag("enabled", d.enabled(), "false: as cluster.compression = false"),
        algorithm,
        level,
        s.integer(
            "min_payload_size",
            d.minPayloadSize(),
            0,
            1 << 20,
            "fewer bytes are sent as they are"));
  }

  static PriorityConfig priority(Section s, PriorityConfig d) {
    return new PriorityConfig(
        s.flag("enabled", d.enabled(), "what waits for a neighbour waits by class"),
        depth(s, "critical", d.criticalDepth()),
        depth(s, "high", d.highDepth()),
        depth(s, "normal", d.normalDepth()),
        depth(s, "low", d.lowDepth()),
        weight(s, "critical", d.criticalWeight()),
        weight(s, "high", d.highWeight()),
        weight(s, "normal", d.normalWeight()),
        weight(s, "low", d.lowWeight()));
  }

  private static int depth(Section s, String name, int preset) {
    return s.integer(
        name + "_depth", preset, 1, 65_536, "messages that wait; then the oldest is dropped");
  }

  private static int weight(Section s, String name, int preset) {
    return s.integer(name + "_weight", preset, 1, 1_024, "messages in a row when all classes wait");
  }
}
