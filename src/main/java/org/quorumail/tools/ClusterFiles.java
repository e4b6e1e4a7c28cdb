package org.quorumail.tools;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The configuration files of a new cluster, one for each node, below one directory: either for
 * hosts of their own, or all on loopback of this host, for a first look.
 *
 * @param hosts one for each node; empty: all on this host
 * @param secret of the cluster, in base64
 */
public record ClusterFiles(int nodes, Path directory, List<String> hosts, String secret) {
  /** More nodes on one host would only wait for each other's disk. */
  public static final int NODES_MAX = 9;

  private static final int SMTP_PORT = 2525;
  private static final int HTTP_PORT = 8080;
  private static final int GOSSIP_PORT = 7946;
  private static final int PORTS_PER_NODE = 10;
  private static final Duration START_TIMEOUT = Duration.ofMinutes(2);
  private static final Duration POLL = Duration.ofSeconds(1);

  public ClusterFiles {
    hosts = List.copyOf(hosts);
    directory = directory.toAbsolutePath().normalize();
  }

  /** The reason why these files cannot be written; one sentence that says what to do. */
  public Optional<String> problem() {
    if (nodes < 1 || nodes > NODES_MAX) {
      return Optional.of("--nodes: from 1 to %d nodes, not %d".formatted(NODES_MAX, nodes));
    }
    if (!hosts.isEmpty() && hosts.size() != nodes) {
      return Optional.of(
          "--hosts: name %d hosts, one for each node, not %d".formatted(nodes, hosts.size()));
    }
    if (hosts.stream().distinct().count() < hosts.size() || hosts.contains("")) {
      return Optional.of("--hosts: name each host once");
    }
    boolean quoted = hosts.stream().anyMatch(host -> host.contains("\"") || host.contains("\\"));
    if (quoted) return Optional.of("--hosts: a name has no quotes and no backslashes");
    return files().stream()
        .filter(Files::exists)
        .findFirst()
        .map(file -> "--dir: %s exists already; name another directory".formatted(file));
  }

  /** The warning about a cluster of this size; empty for three, five, and so on. */
  public Optional<String> warning() {
    return switch (nodes) {
      case 1 -> Optional.of("one node: mail is on one disk until two more are added");
      case 2 -> Optional.of("two nodes accept no mail while one of them is down; three do");
      default ->
          nodes % 2 == 0
              ? Optional.of("%d nodes survive no more losses than %d".formatted(nodes, nodes - 1))
              : Optional.empty();
    };
  }

  /** Writes all files, readable for their owner only, because they contain the secret. */
  public List<Path> write() throws IOException {
    List<Path> written = new ArrayList<>();
    for (int i = 0; i < nodes; i++) {
      Path file = files().get(i);
      Files.createDirectories(file.resolveSibling("."));
      Files.createFile(
          file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      Files.writeString(file, toml(i));
      written.add(file);
    }
    return written;
  }

  /** Starts the nodes, which are all on this host, and waits until they have ended. */
  public void run(Consumer<String> out) throws IOException, InterruptedException {
    try (LocalCluster cluster =
        LocalCluster.of(IntStream.range(0, nodes).mapToObj(this::settings).toList())) {
      cluster.start(START_TIMEOUT);
      for (NodeProcess node : cluster.nodes()) {
        NodeSettings settings = node.settings();
        out.accept(
            "%s  SMTP 127.0.0.1:%d  health %shealth"
                .formatted(settings.id(), settings.smtpPort(), node.http().url()));
      }
      out.accept("The nodes keep running; Ctrl-C ends them.");
      while (cluster.nodes().stream().anyMatch(NodeProcess::isRunning)) Thread.sleep(POLL);
    }
  }

  private NodeSettings settings(int node) {
    return new NodeSettings(
        id(node),
        directory.resolve(id(node)),
        SMTP_PORT + node,
        HTTP_PORT + node,
        gossipPort(node),
        gossipPort(node) + 1,
        "",
        seeds(),
        secret,
        List.of(),
        "");
  }

  private List<Path> files() {
    return IntStream.range(0, nodes)
        .mapToObj(node -> directory.resolve(id(node)).resolve("quorumail.toml"))
        .toList();
  }

  private static String id(int node) {
    return "node-" + (node + 1);
  }

  private int gossipPort(int node) {
    return hosts.isEmpty() ? GOSSIP_PORT + PORTS_PER_NODE * node : GOSSIP_PORT;
  }

  private List<String> seeds() {
    return IntStream.range(0, nodes)
        .mapToObj(
            node -> (hosts.isEmpty() ? "127.0.0.1" : hosts.get(node)) + ":" + gossipPort(node))
        .toList();
  }

  /** The text of one file. */
  String toml(int node) {
    String seeds = seeds().stream().map(s -> '"' + s + '"').collect(Collectors.joining(", "));
    return hosts.isEmpty() ? onThisHost(node, seeds) : onItsHost(node, seeds);
  }

  private String onThisHost(int node, String seeds) {
    Path own = directory.resolve(id(node));
    return """
    control_socket = '%s'
    [node]
    id = "%s"
    data_directory = '%s'
    [[smtp.listeners]]
    socket = "127.0.0.1:%d"
    [health]
    listen_address = "127.0.0.1:%d"
    [cluster]
    enabled = true
    bind_address = "127.0.0.1"
    advertise_address = "127.0.0.1"
    port = %d
    expect = %d
    seeds = [%s]
    secret = "%s"
    """
        .formatted(
            own.resolve("control.sock"),
            id(node),
            own.resolve("data"),
            SMTP_PORT + node,
            HTTP_PORT + node,
            gossipPort(node),
            nodes,
            seeds,
            secret);
  }

  private String onItsHost(int node, String seeds) {
    return """
    hostname = "%s"
    [node]
    id = "%s"
    data_directory = "/var/lib/quorumail"
    [[smtp.listeners]]
    socket = "[::]:25"
    [cluster]
    enabled = true
    advertise_address = "%s"
    expect = %d
    seeds = [%s]
    secret = "%s"
    """
        .formatted(hosts.get(node), id(node), hosts.get(node), nodes, seeds, secret);
  }
}
