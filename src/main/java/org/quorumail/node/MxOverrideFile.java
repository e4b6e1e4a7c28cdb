package org.quorumail.node;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import org.quorumail.api.ChangeRefusedException;
import org.quorumail.cluster.OperatorOrder.SetMxOverride;
import org.quorumail.cluster.OperatorOrders;
import org.quorumail.config.HostPort;
import org.quorumail.config.TextFile;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The MX overrides that an older release has kept in the data directory of this node: one {@code
 * domain host:port} per line. They are given to the cluster once, and then the file is deleted.
 * Thread-safe.
 */
public final class MxOverrideFile {
  private static final Logger LOG = LoggerFactory.getLogger(MxOverrideFile.class);
  private static final String FILE = "mx-overrides";
  private static final int SMTP_PORT = 25;

  /** The time between two attempts to give the overrides to the cluster. */
  public static final Duration INTERVAL = Duration.ofSeconds(5);

  private final Path file;
  private volatile Map<String, HostPort> hosts;
  private String lastRefusal = "";

  private MxOverrideFile(Path file, Map<String, HostPort> hosts) {
    this.file = file;
    this.hosts = Map.copyOf(hosts);
  }

  public static MxOverrideFile open(Path directory) throws NodeStartException {
    Path file = directory.resolve(FILE);
    try {
      return new MxOverrideFile(file, Files.exists(file) ? readLines(file) : Map.of());
    } catch (IOException e) {
      throw new NodeStartException(
          "%s cannot be read (%s); correct the file, or delete it to drop all overrides"
              .formatted(file, e.getMessage()),
          e);
    }
  }

  /** The overrides that the cluster does not have yet. */
  public Map<String, HostPort> hosts() {
    return hosts;
  }

  /**
   * Gives the overrides to the cluster, and deletes the file when it has all. An override that the
   * cluster has for the same domain stays. Called by one thread.
   */
  public void giveTo(ClusterOrders orders, String nodeId, Clock clock) {
    if (hosts.isEmpty()) return;
    try {
      for (Map.Entry<String, HostPort> host : new TreeMap<>(hosts).entrySet()) {
        if (orders.current().mxOverrides().containsKey(host.getKey())) continue;
        SetMxOverride order =
            new SetMxOverride(
                host.getKey(), host.getValue().toString(), clock.millis(), "node:" + nodeId);
        if (orders.give(order) == OperatorOrders.Result.FULL) {
          throw ChangeRefusedException.conflict("the cluster has too many overrides; use routes");
        }
      }
      Files.deleteIfExists(file);
      LOG.info("event=overrides_imported overrides={}", hosts.size());
      hosts = Map.of();
    } catch (ChangeRefusedException | IOException e) {
      String reason = String.valueOf(e.getMessage());
      if (!reason.equals(lastRefusal)) {
        LOG.warn("event=overrides_not_imported file={} reason=\"{}\"", file, reason);
      }
      lastRefusal = reason;
    }
  }

  private static Map<String, HostPort> readLines(Path file) throws IOException {
    Map<String, HostPort> hosts = new TreeMap<>();
    try (TextFile lines = TextFile.open(file)) {
      for (String line = lines.next(); line != null; line = lines.next()) {
        try {
          String[] fields = line.split(" ");
          if (fields.length != 2) {
            throw new IllegalArgumentException("not a domain and a host: " + line);
          }
          hosts.put(fields[0], HostPort.parse(fields[1], SMTP_PORT));
        } catch (IllegalArgumentException e) {
          throw new IOException(lines.place() + ": " + e.getMessage(), e);
        }
      }
    }
    return hosts;
  }
}
