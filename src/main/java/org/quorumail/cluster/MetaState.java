package org.quorumail.cluster;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.quorumail.replication.DamagedStorageException;
import org.quorumail.replication.DurableFile;
import org.quorumail.replication.Leadership;
import org.quorumail.replication.Position;
import org.quorumail.replication.ReplicatedState;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * The state machine of the meta group: the registry of nodes, agreed by all. Small, so it lives in
 * memory; a snapshot writes it to {@code meta.json}, and the log's tail is applied again after a
 * restart.
 *
 * <p>Entries are JSON with a version and a type. An unknown one stops the node: to skip what a
 * newer node wrote would let replicas drift apart.
 */
public final class MetaState implements ReplicatedState {
  private static final JsonMapper JSON = JsonMapper.shared();
  private static final int VERSION = 1;
  private static final String FILE = "meta.json";

  private final Path directory;
  private volatile Content content = new Content(Position.NONE, Map.of());
  private volatile @Nullable Leadership leadership;

  /** A node as the cluster has agreed on it; what changes by the second is on its card. */
  public record Node(
      String nodeId, String peerId, String host, int raftPort, String region, String zone) {}

  private record Content(Position applied, Map<String, Node> nodes) {}

  private record Register(int version, String type, Node node) {}

  public MetaState(Path directory) {
    this.directory = directory;
  }

  /** The entry by which a node puts itself into the registry, or renews what it says there. */
  public static byte[] register(Node node) {
    return JSON.writeValueAsBytes(new Register(VERSION, "register", node));
  }

  public Map<String, Node> nodes() {
    return content.nodes();
  }

  public Optional<Leadership> leadership() {
    return Optional.ofNullable(leadership);
  }

  @Override
  public void open() throws IOException {
    Files.createDirectories(directory);
    Path file = directory.resolve(FILE);
    if (!Files.exists(file)) return;
    content = read(file);
  }

  @Override
  public Position applied() {
    return content.applied();
  }

  @Override
  public byte[] apply(Position position, ByteBuffer entry) throws IOException {
    byte[] bytes = new byte[entry.remaining()];
    entry.get(bytes);
    Register register;
    try {
      register = JSON.readValue(bytes, Register.class);
    } catch (JacksonException e) {
      throw new IOException(
          "entry %d of the meta group is not readable".formatted(position.index()), e);
    }
    if (register.version() != VERSION || !register.type().equals("register")) {
      throw new IOException(
          "entry %d of the meta group is a %s of version %d, which this version does not know"
              .formatted(position.index(), register.type(), register.version()));
    }
    Map<String, Node> nodes = new TreeMap<>(content.nodes());
    nodes.put(register.node().nodeId(), register.node());
    content = new Content(position, Map.copyOf(nodes));
    return new byte[0];
  }

  @Override
  public void skip(Position position) {
    content = new Content(position, content.nodes());
  }

  @Override
  public Position snapshot(Path target) throws IOException {
    Content now = content;
    write(now, target);
    write(now, directory);
    return now.applied();
  }

  @Override
  public void install(Path source) throws IOException {
    Content installed = read(source.resolve(FILE));
    write(installed, directory);
    content = installed;
  }

  @Override
  public void led(Leadership leadership) {
    this.leadership = leadership;
  }

  @Override
  public void followed() {
    leadership = null;
  }

  @Override
  public void close() {
    leadership = null;
  }

  private static Content read(Path file) throws IOException {
    try {
      return JSON.readValue(Files.readAllBytes(file), Content.class);
    } catch (JacksonException e) {
      throw new DamagedStorageException("%s is damaged".formatted(file), e);
    }
  }

  private static void write(Content content, Path target) throws IOException {
    DurableFile.replace(target.resolve(FILE), JSON.writeValueAsBytes(content));
  }
}
