package org.quorumail.tools;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Collectors;

/**
 * The settings of one node and its configuration file: all sockets on loopback, all files below one
 * directory.
 *
 * @param routeTo next hop of all mail, as {@code [[route]]} writes it
 * @param seeds {@code host:port} of every node of the cluster; empty: stand-alone
 * @param delivery more lines of {@code [delivery]}
 * @param sections more sections, appended at the end
 */
public record NodeSettings(
    String id,
    Path directory,
    int smtpPort,
    int httpPort,
    int clusterPort,
    int raftPort,
    String routeTo,
    List<String> seeds,
    String secret,
    List<String> delivery,
    String sections) {

  /**
   * Ports are taken below the ephemeral range of the system: while a node is down, no outgoing
   * connection can occupy its port.
   */
  private static final int FIRST_PORT = 12_000;

  private static final int LAST_PORT = 29_999;
  private static final int SECRET_BYTES = 32;

  /** Retries come within seconds, so that a run ends soon after its last message. */
  private static final List<String> QUICK_RETRIES =
      List.of(
          "scan_interval = \"1s\"",
          "process_interval = \"1s\"",
          "base_retry_delay = \"1s\"",
          "max_retry_delay = \"2s\"",
          "max_attempts = 1000",
          "circuit_breaker = { failures = 10000, within = \"60s\", open_for = \"1s\" }");

  public static NodeSettings standAlone(String id, Path directory, String routeTo) {
    return new NodeSettings(
        id,
        directory.toAbsolutePath().resolve(id),
        freePort(),
        freePort(),
        freePort(),
        freePort(),
        routeTo,
        List.of(),
        "",
        QUICK_RETRIES,
        "");
  }

  /** The nodes of one cluster, {@code node-1} and on, with a new secret. */
  public static List<NodeSettings> cluster(int nodes, Path directory, String routeTo) {
    List<NodeSettings> nodeList = new ArrayList<>();
    for (int i = 1; i <= nodes; i++) nodeList.add(standAlone("node-" + i, directory, routeTo));
    List<String> seeds = nodeList.stream().map(node -> "127.0.0.1:" + node.clusterPort()).toList();
    byte[] secret = new byte[SECRET_BYTES];
    new SecureRandom().nextBytes(secret);
    String text = Base64.getEncoder().encodeToString(secret);
    return nodeList.stream().map(node -> node.inCluster(seeds, text)).toList();
  }

  public NodeSettings inCluster(List<String> changedSeeds, String changedSecret) {
    return new NodeSettings(
        id,
        directory,
        smtpPort,
        httpPort,
        clusterPort,
        raftPort,
        routeTo,
        changedSeeds,
        changedSecret,
        delivery,
        sections);
  }

  public NodeSettings withDelivery(String... lines) {
    return new NodeSettings(
        id,
        directory,
        smtpPort,
        httpPort,
        clusterPort,
        raftPort,
        routeTo,
        seeds,
        secret,
        List.of(lines),
        sections);
  }

  public NodeSettings withSections(String toml) {
    return new NodeSettings(
        id,
        directory,
        smtpPort,
        httpPort,
        clusterPort,
        raftPort,
        routeTo,
        seeds,
        secret,
        delivery,
        toml);
  }

  /** The name in the greeting and in EHLO, by which the sink knows the delivering node. */
  public String hostname() {
    return id + ".quorumail.test";
  }

  public InetSocketAddress smtpAddress() {
    return loopback(smtpPort);
  }

  public InetSocketAddress httpAddress() {
    return loopback(httpPort);
  }

  public Path configFile() {
    return directory.resolve("quorumail.toml");
  }

  public Path dataDirectory() {
    return directory.resolve("data");
  }

  public Path logFile() {
    return directory.resolve("log");
  }

  /** Writes the configuration file, readable for its owner only, because it contains the secret. */
  public Path writeConfig() throws IOException {
    Files.createDirectories(directory);
    Files.writeString(configFile(), toml());
    configFile().toFile().setReadable(false, false);
    configFile().toFile().setReadable(true, true);
    return configFile();
  }

  /** The text of the configuration file. */
  public String toml() {
    return """
    hostname = "%s"
    control_socket = "%s"

    [node]
    id = "%s"
    data_directory = "%s"

    [[smtp.listeners]]
    socket = "127.0.0.1:%d"
    limits = { connections_per_ip = 10000 }

    [[route]]
    domain = "*"
    to = ["%s"]

    [delivery]
    %s

    [spool]
    min_free = "200MB"

    [health]
    listen_address = "127.0.0.1:%d"
    %s
    %s
    """
        .formatted(
            hostname(),
            directory.resolve("control.sock"),
            id,
            dataDirectory(),
            smtpPort,
            routeTo,
            String.join("\n", delivery),
            httpPort,
            clusterToml(),
            sections);
  }

  private String clusterToml() {
    if (seeds.isEmpty()) return "";
    String list = seeds.stream().map(s -> '"' + s + '"').collect(Collectors.joining(", "));
    return """

    [cluster]
    enabled = true
    bind_address = "127.0.0.1"
    advertise_address = "127.0.0.1"
    port = %d
    raft_port = %d
    expect = %d
    seeds = [%s]
    secret = "%s"
    """
        .formatted(clusterPort, raftPort, seeds.size(), list, secret);
  }

  /** A port on which nothing listens at the moment. */
  public static int freePort() {
    for (int tries = 0; tries < 1000; tries++) {
      int port = ThreadLocalRandom.current().nextInt(FIRST_PORT, LAST_PORT + 1);
      if (isFree(port)) return port;
    }
    throw new IllegalStateException(
        "no free port between " + FIRST_PORT + " and " + LAST_PORT + " on loopback");
  }

  private static boolean isFree(int port) {
    try (ServerSocket socket = new ServerSocket()) {
      socket.bind(loopback(port));
      return socket.isBound();
    } catch (IOException e) {
      return false;
    }
  }

  private static InetSocketAddress loopback(int port) {
    try {
      return new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), port);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
