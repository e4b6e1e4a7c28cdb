package org.quorumail.cluster;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
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
 * The state machine of the meta group: the registry of nodes and the cluster map, agreed by all. It
 * is small, so it lives in memory. A snapshot writes it to {@code meta.json}, and the tail of the
 * log is applied again after a restart.
 *
 * <p>Entries are JSON with a version and a type. An unknown entry stops the node: to skip the entry
 * of a newer node would let replicas diverge. Version 1 has {@code register}, version 2 also {@code
 * map}. The first entry of version 2 is appended when all nodes run a release that knows it.
 */
public final class MetaState implements ReplicatedState {
  private static final JsonMapper JSON = JsonMapper.shared();
  private static final int REGISTER_VERSION = 1;
  private static final int MAP_VERSION = 2;
  private static final String FILE = "meta.json";

  private final Path directory;
  private volatile Registry registry = new Registry(LogPosition.NONE, Map.of(), null);
  private volatile @Nullable Leadership leadership;

  /**
   * A node as the cluster has agreed on it; figures that change by the second are in its metadata.
   */
  public record RegisteredNode(
      String nodeId, String peerId, String host, int raftPort, String region, String zone) {}

  /**
   * The content of {@code meta.json}; without a map in older releases and before its first entry.
   */
  private record Registry(
      LogPosition applied, Map<String, RegisteredNode> nodes, @Nullable ClusterMap map) {}

  private record RegisterEntry(int version, String type, RegisteredNode node) {}

  private record MapEntry(int version, String type, ClusterMap map) {}

  /** The same as another node has sent it: it may lack fields. */
  private record ReceivedEntry(
      int version,
      @Nullable String type,
      @Nullable RegisteredNode node,
      @Nullable ClusterMap map) {}

  /** An entry that this version can apply. */
  private sealed interface MetaEntry {
    record Register(RegisteredNode node) implements MetaEntry {}

    record NextMap(ClusterMap map) implements MetaEntry {}
  }

  public MetaState(Path directory) {
    this.directory = directory;
  }

  /** The entry by which a node registers, or renews its registration. */
  public static byte[] registerEntry(RegisteredNode node) {
    return JSON.writeValueAsBytes(new RegisterEntry(REGISTER_VERSION, "register", node));
  }

  /**
   * The entry by which the members change. It takes effect if the map is the successor of the
   * present one; then its reply is empty, else it is the reason.
   */
  public static byte[] mapEntry(ClusterMap next) {
    return JSON.writeValueAsBytes(new MapEntry(MAP_VERSION, "map", next));
  }

  /** The cluster map; empty while the members are those of the formation. */
  public Optional<ClusterMap> map() {
    return Optional.ofNullable(registry.map());
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
    if (read(entry) instanceof MetaEntry.Register register && !hasAllFields(register.node()))
      throw new IOException("an entry of the meta group registers a node without all its fields");
  }

  @Override
  public byte[] apply(LogPosition position, ByteBuffer entry) throws IOException {
    MetaEntry read;
    try {
      read = read(entry);
    } catch (IOException e) {
      throw new IOException("entry %d: %s".formatted(position.index(), e.getMessage()), e);
    }
    return switch (read) {
      case MetaEntry.Register register -> register(position, register.node());
      case MetaEntry.NextMap next -> replaceMap(position, next.map());
    };
  }

  private byte[] register(LogPosition position, RegisteredNode node) {
    Map<String, RegisteredNode> nodes = new TreeMap<>(registry.nodes());
    nodes.put(node.nodeId(), node);
    registry = new Registry(position, Map.copyOf(nodes), registry.map());
    return new byte[0];
  }

  private byte[] replaceMap(LogPosition position, ClusterMap next) {
    ClusterMap present = registry.map();
    long revision = present == null ? 0 : present.revision();
    boolean follows = next.revision() == revision + 1;
    boolean sameCluster = present == null || present.clusterId().equals(next.clusterId());
    ClusterMap result = follows && sameCluster ? next : present;
    registry = new Registry(position, registry.nodes(), result);
    if (result == next) return new byte[0];
    return "the members were changed meanwhile: revision %d of cluster %s does not follow revision %d"
        .formatted(next.revision(), next.clusterId(), revision)
        .getBytes(StandardCharsets.UTF_8);
  }

  private static MetaEntry read(ByteBuffer entry) throws IOException {
    byte[] bytes = new byte[entry.remaining()];
    entry.get(bytes);
    ReceivedEntry received;
    try {
      received = JSON.readValue(bytes, ReceivedEntry.class);
    } catch (JacksonException e) {
      throw new IOException("an entry of the meta group is not readable", e);
    }
    if (received == null) throw new IOException("an entry of the meta group is empty");
    if (received.version() == REGISTER_VERSION && "register".equals(received.type())) {
      return registered(received.node());
    }
    if (received.version() == MAP_VERSION && "map".equals(received.type())) {
      return nextMap(received.map());
    }
    throw new IOException(
        "an entry of the meta group is a %s of version %d, which this version does not know"
            .formatted(received.type(), received.version()));
  }

  private static MetaEntry registered(@Nullable RegisteredNode node) throws IOException {
    if (node == null || Objects.isNull(node.nodeId())) {
      throw new IOException("an entry of the meta group registers a node without an id");
    }
    return new MetaEntry.Register(node);
  }

  private static MetaEntry nextMap(@Nullable ClusterMap map) throws IOException {
    if (map == null) throw new IOException("an entry of the meta group has no map");
    Optional<String> problem = map.problem();
    if (problem.isPresent()) {
      throw new IOException("an entry of the meta group has a bad map: " + problem.get());
    }
    return new MetaEntry.NextMap(map);
  }

  /** JSON may leave any of them out. */
  private static boolean hasAllFields(RegisteredNode node) {
    return Stream.of(node.nodeId(), node.peerId(), node.host(), node.region(), node.zone())
        .allMatch(Objects::nonNull);
  }

  @Override
  public void skip(LogPosition position) {
    registry = new Registry(position, registry.nodes(), registry.map());
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
