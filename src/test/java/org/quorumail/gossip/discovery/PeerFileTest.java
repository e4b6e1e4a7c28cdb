package org.quorumail.gossip.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PeerFileTest {
  @TempDir private Path directory = Path.of("");

  @Test
  void writtenPeersAreReadAgainUpToTheBound() throws Exception {
    List<InetSocketAddress> peers = new ArrayList<>();
    for (int i = 0; i < 2_000; i++) {
      byte[] raw = {10, 0, (byte) (i >> 8), (byte) i};
      peers.add(new InetSocketAddress(InetAddress.getByAddress(raw), 7_946));
    }
    peers.addFirst(new InetSocketAddress(InetAddress.getByName("::1"), 1));
    Path file = directory.resolve("peers");
    new PeerFile(file).write(peers);
    assertThat(new PeerFile(file).read()).hasSize(1_024).isSubsetOf(peers);
    assertThat(directory.resolve("peers.new")).doesNotExist();
  }

  @Test
  void aDamagedFileIsIgnored() throws Exception {
    Path file = directory.resolve("peers");
    assertThat(new PeerFile(file).read()).as("none").isEmpty();
    Files.write(file, new byte[] {(byte) 0xff, (byte) 0xfe, 0, 1});
    assertThat(new PeerFile(file).read()).as("no text").isEmpty();
    Files.writeString(file, "10.0.0.1:7946\nmail.example.org:7946\n10.0.0.2:7946\n");
    assertThat(new PeerFile(file).read()).as("a name is no address").hasSize(1);
    Files.writeString(file, "10.0.0.1:7946\n".repeat(20_000));
    assertThat(new PeerFile(file).read()).as("too large").isEmpty();
  }

  @Test
  void aFailedWriteIsOnlyLogged() throws Exception {
    InetSocketAddress peer = new InetSocketAddress(InetAddress.getByName("10.0.0.1"), 7_946);
    new PeerFile(directory.resolve("no/such/place")).write(List.of(peer));
    assertThat(directory.resolve("no")).doesNotExist();
  }
}
