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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The file of the members' last addresses, one per line, so that a restarted node finds the others
 * when its seeds are gone. The file is a hint: a lost or damaged one has no other effect.
 */
public final class PeerFile {
  private static final Logger LOG = LoggerFactory.getLogger(PeerFile.class);

  /** The file of 10,000 members would have some hundred KiB; a start need not call them all. */
  private static final int MAX_PEERS = 1_024;

  private static final long MAX_BYTES = 128 << 10;

  /** The addresses of the previous run are kept for this time, in which the others may return. */
  private static final Duration KEEP_PREVIOUS = Duration.ofMinutes(5);

  private final Path file;
  private final long startedAt = System.nanoTime();
  private List<InetSocketAddress> previous = List.of();
  private Set<String> written = Set.of();
  private String lastFailure = "";

  public PeerFile(Path file) {
    this.file = file;
  }

  /** Reads the addresses that the previous run of this node has written. */
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
      LOG.warn("event=gossip_peers_unreadable file={} reason=\"{}\"", file, e.getMessage());
    } catch (IOException e) {
      LOG.warn("event=gossip_peers_not_read file={} reason=\"{}\"", file, e.getMessage());
    }
    return peers;
  }

  private static InetSocketAddress parse(String line) {
    SeedAddress peer = SeedAddress.parse(line.strip());
    return new InetSocketAddress(InetAddress.ofLiteral(peer.host()), peer.port());
  }

  /** Writes the members' addresses if they have changed; called by one thread. */
  public void write(List<InetSocketAddress> members) {
    List<InetSocketAddress> peers = new ArrayList<>(members);
    if (System.nanoTime() - startedAt < KEEP_PREVIOUS.toNanos()) peers.addAll(previous);
    Set<String> lines = new TreeSet<>();
    for (InetSocketAddress peer : peers) {
      if (lines.size() == MAX_PEERS) break;
      lines.add(new SeedAddress(peer.getAddress().getHostAddress(), peer.getPort()).toString());
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
      // one line per outage, not one every ten seconds
      if (!reason.equals(lastFailure)) {
        LOG.warn("event=gossip_peers_not_written file={} reason=\"{}\"", file, reason);
      }
      lastFailure = reason;
    }
  }
}
