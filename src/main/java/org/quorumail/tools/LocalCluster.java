package org.quorumail.tools;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;

/** The nodes of one cluster, each a {@link NodeProcess}. */
public final class LocalCluster implements AutoCloseable {
  private static final Duration POLL = Duration.ofMillis(200);

  private final List<NodeProcess> nodes;

  private LocalCluster(List<NodeProcess> nodes) {
    this.nodes = List.copyOf(nodes);
  }

  /** A new cluster below the directory; starts no node. */
  public static LocalCluster of(int nodes, Path directory, String routeTo) {
    List<NodeSettings> settings =
        nodes == 1
            ? List.of(NodeSettings.standAlone("node-1", directory, routeTo))
            : NodeSettings.cluster(nodes, directory, routeTo);
    return of(settings);
  }

  public static LocalCluster of(List<NodeSettings> settings) {
    return new LocalCluster(settings.stream().map(NodeProcess::new).toList());
  }

  /** Starts all nodes that do not run, and waits until all are ready. */
  public void start(Duration timeout) throws IOException, InterruptedException {
    long end = System.nanoTime() + timeout.toNanos();
    for (NodeProcess node : nodes) node.start();
    for (NodeProcess node : nodes) {
      Duration remaining = Duration.ofNanos(Math.max(1, end - System.nanoTime()));
      node.awaitReady(remaining);
    }
  }

  public int size() {
    return nodes.size();
  }

  public NodeProcess node(int index) {
    return nodes.get(index);
  }

  public List<NodeProcess> nodes() {
    return nodes;
  }

  public List<InetSocketAddress> smtpAddresses() {
    return nodes.stream().map(node -> node.settings().smtpAddress()).toList();
  }

  public boolean isReady() {
    return nodes.stream().allMatch(node -> node.http().isReady());
  }

  /** The longest queue that any node reports; empty while a node does not respond. */
  public OptionalLong queueSize() {
    long longest = 0;
    for (NodeProcess node : nodes) {
      OptionalLong size = node.http().queueSize();
      if (size.isEmpty()) return size;
      longest = Math.max(longest, size.getAsLong());
    }
    return OptionalLong.of(longest);
  }

  /** True when every node reports an empty queue; false after the timeout. */
  public boolean awaitEmptyQueues(Duration timeout) throws InterruptedException {
    long end = System.nanoTime() + timeout.toNanos();
    while (System.nanoTime() < end) {
      OptionalLong size = queueSize();
      if (size.isPresent() && size.getAsLong() == 0) return true;
      Thread.sleep(POLL);
    }
    return false;
  }

  /** True when some node reports the message as queued. */
  boolean isQueued(String queueId) {
    return nodes.stream().anyMatch(node -> node.http().hasMessage(queueId).orElse(false));
  }

  /**
   * Compares the replicas of every spool: their digests and positions must be equal. Repeats until
   * the timeout while replicas catch up. Returns one sentence for each difference.
   */
  public List<String> compareDigests(Duration timeout) throws InterruptedException {
    long end = System.nanoTime() + timeout.toNanos();
    List<String> differences;
    do {
      differences = differences();
      if (differences.isEmpty()) return differences;
      Thread.sleep(POLL);
    } while (System.nanoTime() < end);
    return differences;
  }

  private List<String> differences() {
    List<String> differences = new ArrayList<>();
    List<Map<String, NodeHttpClient.ReplicaDigest>> all =
        nodes.stream().map(node -> node.http().digests()).toList();
    Set<String> spools = new TreeSet<>();
    for (Map<String, NodeHttpClient.ReplicaDigest> digests : all) spools.addAll(digests.keySet());
    if (spools.isEmpty()) differences.add("no node reports a digest");
    for (String spool : spools) {
      Set<NodeHttpClient.ReplicaDigest> distinct = new HashSet<>();
      StringBuilder seen = new StringBuilder();
      for (int i = 0; i < nodes.size(); i++) {
        NodeHttpClient.ReplicaDigest digest = all.get(i).get(spool);
        if (digest == null) continue;
        distinct.add(digest);
        seen.append(' ').append(nodes.get(i).settings().id()).append('=');
        seen.append(digest.position())
            .append(':')
            .append(digest.sha256(), 0, Math.min(12, digest.sha256().length()));
      }
      if (distinct.size() > 1) differences.add("spool " + spool + " differs:" + seen);
    }
    return differences;
  }

  /** Kills all nodes that still run. */
  @Override
  public void close() {
    for (NodeProcess node : nodes) node.close();
  }
}
