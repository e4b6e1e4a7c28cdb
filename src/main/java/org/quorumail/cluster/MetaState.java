package org.quorumail.cluster;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.quorumail.replication.DamagedStorageException;
import org.quorumail.replication.DurableFile;
import org.quorumail.replication.Leadership;
import org.quorumail.replication.LogPosition;
import org.quorumail.replication.ReplicatedState;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * The state machine of the meta group: the registry of nodes, agreed by all. It is small, so it
 * lives in memory. A snapshot writes it to {@code meta.json}, and the tail of the log is applied
 * again after a restart.
 *
 * <p>Entries are JSON with a version and a type. An unknown entry stops the node: to skip the entry
 * of a newer node would let replicas diverge.
 */
public final class MetaState implements ReplicatedState {
  private static final JsonMapper JSON = JsonMapper.shared();
  private static final int VERSION = 1;
  private static final String FILE = "meta.json";

  private final Path directory;
  private volatile Registry registry = new Registry(LogPosition.NONE, Map.of());
  private volatile @Nullable Leadership leadership;

  /**
   * A node as the cluster has agreed on it; figures that change by the second are in its metadata.
   */
  public record RegisteredNode(
      String nodeId, String peerId, String host, int raftPort, String region, String zone) {}

  private record Registry(LogPosition applied, Map<String, RegisteredNode> nodes) {}

  private record RegisterEntry(int version, String type, RegisteredNode node) {}

  /** The same as another node has sent it: it may lack fields. */
  private record ReceivedEntry(int version, @Nullable String type, @Nullable RegisteredNode node) {}

  public MetaState(Path directory) {
    this.directory = directory;
  }

  /** The entry by which a node registers, or renews its registration. */
  public static byte[] registerEntry(RegisteredNode node) {
    return JSON.writeValueAsBytes(new RegisterEntry(VERSION, "register", node));
  }

  public Map<String, RegisteredNode> nodes() {
    return registry.nodes();
  }

  public Optional<Leadership> leadership() {
    return Optional.ofNullable(leadership);
  }

  @Override
  public void open() throws IOException {
    Files.createDirectories(directory);
    Path file = directory.resolve(FILE);
    if (!Files.exists(file)) return;
    registry = read(file);
  }

  @Override
  public LogPosition applied() {
    return registry.applied();
  }

  @Override
  public void check(ByteBuffer entry) throws IOException {
    if (!hasAllFields(registered(entry)))
      throw new IOException("an entry of the meta group registers a node without all its fields");
  }

  @Override
  public byte[] apply(LogPosition position, ByteBuffer entry) throws IOException {
    RegisteredNode node;
    try {
      node = registered(entry);
    } catch (IOException e) {
      throw new IOException("entry %d: %s".formatted(position.index(), e.getMessage()), e);
    }
    Map<String, RegisteredNode> nodes = new TreeMap<>(registry.nodes());
    nodes.put(node.nodeId(), node);
    registry = new Registry(position, Map.copyOf(nodes));
    return new byte[0];
  }

  /** Reads the node that an entry registers. */
  private static RegisteredNode registered(ByteBuffer entry) throws IOException {
    byte[] bytes = new byte[entry.remaining()];
    entry.get(bytes);
    ReceivedEntry register;
    try {
      register = JSON.readValue(bytes, ReceivedEntry.class);
    } catch (JacksonException e) {
      throw new IOException("an entry of the meta group is not readable", e);
    }
    if (register == null) throw new IOException("an entry of the meta group is empty");
    if (register.version() != VERSION || !"register".equals(register.type())) {
      throw new IOException(
          "an entry of the meta group is a %s of version %d, which this version does not know"
              .formatted(register.type(), register.version()));
    }
    RegisteredNode node = register.node();
    if (node == null || Objects.isNull(node.nodeId())) {
      throw new IOException("an entry of the meta group registers a node without an id");
    }
    return node;
  }

  /** JSON may leave any of them out. */
  private static boolean hasAllFields(RegisteredNode node) {
    return Stream.of(node.nodeId(), node.peerId(), node.host(), node.region(), node.zone())
        .allMatch(Objects::nonNull);
  }

  @Override
  public void skip(LogPosition position) {
    registry = new Registry(position, registry.nodes());
  }

  @Override
  public LogPosition snapshot(Path target) throws IOException {
    Registry now = registry;
    write(now, target);
    write(now, directory);
    return now.applied();
  }

  @Override
  public void install(Path source) throws IOException {
    Registry installed = read(source.resolve(FILE));
    write(installed, directory);
    registry = installed;
  }

  @Override
  public void becomeLeader(Leadership leadership) {
    this.leadership = leadership;
  }

  @Override
  public void becomeFollower() {
    leadership = null;
  }

  @Override
  public void close() {
    leadership = null;
  }

  private static Registry read(Path file) throws IOException {
    try {
      return JSON.readValue(Files.readAllBytes(file), Registry.class);
    } catch (JacksonException e) {
      throw new DamagedStorageException("%s is damaged".formatted(file), e);
    }
  }

  private static void write(Registry content, Path target) throws IOException {
    DurableFile.replace(target.resolve(FILE), JSON.writeValueAsBytes(content));
  }
}
