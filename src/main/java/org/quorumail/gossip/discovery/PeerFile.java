package org.quorumail.gossip.discovery;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.quorumail.config.HostPort;
import org.quorumail.gossip.driver.GossipSettings;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The addresses of the members last seen, so that a node finds the others again when its seeds are
 * gone. One address per line; a hint only: a file that is lost or damaged costs nothing else.
 */
public final class PeerFile {
  private static final Logger log = LoggerFactory.getLogger(PeerFile.class);

  /** A cluster of 10,000 has some hundred KiB; a start need not call them all. */
  private static final int MAX_PEERS = 1_024;

  private static final long MAX_BYTES = 128 << 10;

  /** What a former life has left is kept until the others had time to come back. */
  private static final Duration KEEP_PREVIOUS = Duration.ofMinutes(5);

  private final Path file;
  private final long startedAt = System.nanoTime();
  private List<InetSocketAddress> previous = List.of();
  private Set<String> written = Set.of();
  private String lastFailure = "";

  public PeerFile(Path file) {
    this.file = file;
  }

  /** What the last life of this node has left. */
  public List<InetSocketAddress> read() {
    List<InetSocketAddress> peers = new ArrayList<>();
    previous = peers;
    try {
      if (!Files.exists(file)) return peers;
      if (Files.size(file) > MAX_BYTES) {
        throw new IllegalArgumentException("longer than " + MAX_BYTES + " bytes");
      }
      for (String line : Files.readAllLines(file)) {
        if (peers.size() < MAX_PEERS && !line.isBlank()) peers.add(parse(line));
      }
    } catch (CharacterCodingException | IllegalArgumentException e) {
      log.warn("gossip_peers_unreadable file={} reason=\"{}\"", file, e.getMessage());
    } catch (IOException e) {
      log.warn("gossip_peers_not_read file={} reason=\"{}\"", file, e.getMessage());
    }
    return peers;
  }

  private static InetSocketAddress parse(String line) {
    HostPort peer = HostPort.parse(line.strip(), GossipSettings.DEFAULT_PORT);
    return new InetSocketAddress(InetAddress.ofLiteral(peer.host()), peer.port());
  }

  /** Writes them if they have changed; called by one thread. */
  public void write(List<InetSocketAddress> there) {
    List<InetSocketAddress> peers = new ArrayList<>(there);
    if (System.nanoTime() - startedAt < KEEP_PREVIOUS.toNanos()) peers.addAll(previous);
    Set<String> lines = new TreeSet<>();
    for (InetSocketAddress peer : peers) {
      if (lines.size() == MAX_PEERS) break;
      lines.add(new HostPort(peer.getAddress().getHostAddress(), peer.getPort()).toString());
    }
    if (lines.equals(written)) return;
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    try {
      Files.write(fresh, lines);
      Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      written = lines;
      lastFailure = "";
    } catch (IOException e) {
      String reason = String.valueOf(e);
      // once per outage, not every ten seconds
      if (!reason.equals(lastFailure)) {
        log.warn("gossip_peers_not_written file={} reason=\"{}\"", file, reason);
      }
      lastFailure = reason;
    }
  }
}
