package org.quorumail.cluster;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
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
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The state machine of the meta group: the registry of nodes and the cluster map, agreed by all. It
 * is small, so it lives in memory. A snapshot writes it to {@code meta.json}, and the tail of the
 * log is applied again after a restart.
 *
 * <p>Entries are JSON with a version and a type. An unknown entry stops the node: to skip the entry
 * of a newer node would let replicas diverge. Version 1 has {@code register}, version 2 {@code
 * map}, version 3 the orders to the delivery and {@code configuration}. The first entry of a
 * version is appended when all nodes run a release that knows it.
 */
public final class MetaState implements ReplicatedState {
  private static final JsonMapper JSON = JsonMapper.shared();
  private static final int REGISTER_VERSION = 1;
  private static final int MAP_VERSION = 2;
  private static final int ORDER_VERSION = 3;
  private static final int CONFIG_VERSION = 3;
  private static final String FILE = "meta.json";

  private static final String CONFIGURATION = "configuration";
  private static final String SUSPEND = "suspend";
  private static final String RESUME = "resume";
  private static final String SET_MX_OVERRIDE = "set_mx_override";
  private static final String REMOVE_MX_OVERRIDE = "remove_mx_override";

  private static final Map<String, Class<? extends OperatorOrder>> ORDER_TYPES =
      Map.of(
          SUSPEND, OperatorOrder.Suspend.class,
          RESUME, OperatorOrder.Resume.class,
          SET_MX_OVERRIDE, OperatorOrder.SetMxOverride.class,
          REMOVE_MX_OVERRIDE, OperatorOrder.RemoveMxOverride.class);

  private final Path directory;
  private final Listener listener;
  private volatile Registry registry = new Registry(LogPosition.NONE, Map.of(), null, null, null);

  /** Wakes threads that wait for an entry to be applied. */
  private final Object progress = new Object();

  private volatile @Nullable Leadership leadership;

  /**
   * A node as the cluster has agreed on it; figures that change by the second are in its metadata.
   */
  public record RegisteredNode(
      String nodeId, String peerId, String host, int raftPort, String region, String zone) {}

  /** The parts of a node that follow this state. Called by the applying thread; must not block. */
  public interface Listener {
    /** No part. */
    Listener NONE = new Listener() {};

    /** Passes on the orders: at the start those that are on this node's disk, then each change. */
    default void ordersChanged(OperatorOrders orders) {}

    /** Passes on the latest version: at the start that on this node's disk, then each later one. */
    default void configurationChanged(ConfigVersion latest) {}
  }

  /**
   * The content of {@code meta.json}; without a map, orders and configuration in older releases and
   * before the first entry of each.
   */
  private record Registry(
      LogPosition applied,
      Map<String, RegisteredNode> nodes,
      @Nullable ClusterMap map,
      @Nullable OperatorOrders orders,
      @Nullable ConfigHistory configuration) {
    Registry at(LogPosition position) {
      return new Registry(position, nodes, map, orders, configuration);
    }

    Registry withNodes(Map<String, RegisteredNode> next) {
      return new Registry(applied, next, map, orders, configuration);
    }

    Registry withMap(@Nullable ClusterMap next) {
      return new Registry(applied, nodes, next, orders, configuration);
    }

    Registry withOrders(OperatorOrders next) {
      return new Registry(applied, nodes, map, next, configuration);
    }

    Registry withConfiguration(ConfigHistory next) {
      return new Registry(applied, nodes, map, orders, next);
    }
  }

  private record RegisterEntry(int version, String type, RegisteredNode node) {}

  private record MapEntry(int version, String type, ClusterMap map) {}

  private record OrderEntry(int version, String type, OperatorOrder order) {}

  private record ConfigEntry(int version, String type, ConfigVersion configuration) {}

  /** The same as another node has sent it: it may lack fields. */
  private record ReceivedEntry(
      int version,
      @Nullable String type,
      @Nullable RegisteredNode node,
      @Nullable ClusterMap map,
      @Nullable JsonNode order,
      @Nullable ConfigVersion configuration) {}

  /** An entry that this version can apply. */
  private sealed interface MetaEntry {
    record Register(RegisteredNode node) implements MetaEntry {}

    record NextMap(ClusterMap map) implements MetaEntry {}

    record Order(OperatorOrder order) implements MetaEntry {}

    record NextConfig(ConfigVersion version) implements MetaEntry {}
  }

  public MetaState(Path directory, Listener listener) {
    this.directory = directory;
    this.listener = listener;
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

  /** The entry of an order. The name of its {@link OperatorOrders.Result} is the reply. */
  public static byte[] orderEntry(OperatorOrder order) {
    return JSON.writeValueAsBytes(new OrderEntry(ORDER_VERSION, orderType(order), order));
  }

  private static String orderType(OperatorOrder order) {
    return switch (order) {
      case OperatorOrder.Suspend suspend -> SUSPEND;
      case OperatorOrder.Resume resume -> RESUME;
      case OperatorOrder.SetMxOverride set -> SET_MX_OVERRIDE;
      case OperatorOrder.RemoveMxOverride remove -> REMOVE_MX_OVERRIDE;
    };
  }

  /** The orders in force; empty while none was ever given, which an older release can replay. */
  public Optional<OperatorOrders> orders() {
    return Optional.ofNullable(registry.orders());
  }

  /**
   * The entry of a version of the configuration. It takes effect if it is the successor of the
   * latest one; then its reply is empty, else it is the reason.
   */
  public static byte[] configEntry(ConfigVersion next) {
    return JSON.writeValueAsBytes(new ConfigEntry(CONFIG_VERSION, CONFIGURATION, next));
  }

  /**
   * The configuration of all nodes; empty while there was none, which an older release can replay.
   */
  public Optional<ConfigHistory> configuration() {
    return Optional.ofNullable(registry.configuration());
  }

  /** Waits until this replica has applied an entry; false when it has not in time. */
  public boolean awaitApplied(LogPosition position, Duration timeout) throws InterruptedException {
    long until = System.nanoTime() + timeout.toNanos();
    synchronized (progress) {
      while (applied().index() < position.index()) {
        long left = (until - System.nanoTime()) / 1_000_000;
        if (left <= 0) return false;
        progress.wait(left);
      }
      return true;
    }
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
    replace(read(file));
  }

  /** Puts another state into effect. */
  private void replace(Registry next) {
    Registry before = registry;
    registry = next;
    OperatorOrders orders = next.orders();
    if (orders != null && !orders.equals(before.orders())) listener.ordersChanged(orders);
    ConfigHistory config = next.configuration();
    if (config != null && !config.equals(before.configuration())) {
      config.latest().ifPresent(listener::configurationChanged);
    }
    synchronized (progress) {
      progress.notifyAll();
    }
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
      case MetaEntry.Order order -> order(position, order.order());
      case MetaEntry.NextConfig next -> configuration(position, next.version());
    };
  }

  /**
   * An order is on this node's disk before it takes effect: after a restart the node keeps to it
   * before it has found the others.
   */
  private byte[] order(LogPosition position, OperatorOrder order) throws IOException {
    OperatorOrders.Change change = orders().orElse(OperatorOrders.NONE).with(order);
    store(registry.at(position).withOrders(change.next()));
    return change.result().reply();
  }

  /** A version is on this node's disk before it takes effect, as an order is. */
  private byte[] configuration(LogPosition position, ConfigVersion version) throws IOException {
    ConfigHistory history = configuration().orElse(ConfigHistory.NONE);
    if (version.version() != history.next()) {
      replace(registry.at(position));
      return "the configuration was changed meanwhile: version %d does not follow version %d"
          .formatted(version.version(), history.next() - 1)
          .getBytes(StandardCharsets.UTF_8);
    }
    store(registry.at(position).withConfiguration(history.with(version)));
    return new byte[0];
  }

  private void store(Registry next) throws IOException {
    write(next, directory);
    replace(next);
  }

  private byte[] register(LogPosition position, RegisteredNode node) {
    Map<String, RegisteredNode> nodes = new TreeMap<>(registry.nodes());
    nodes.put(node.nodeId(), node);
    replace(registry.at(position).withNodes(Map.copyOf(nodes)));
    return new byte[0];
  }

  private byte[] replaceMap(LogPosition position, ClusterMap next) {
    ClusterMap present = registry.map();
    long revision = present == null ? 0 : present.revision();
    boolean follows = next.revision() == revision + 1;
    boolean sameCluster = present == null || present.clusterId().equals(next.clusterId());
    ClusterMap result = follows && sameCluster ? next : present;
    replace(registry.at(position).withMap(result));
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
    if (received.version() == CONFIG_VERSION && CONFIGURATION.equals(received.type())) {
      return nextConfig(received.configuration());
    }
    if (received.version() == ORDER_VERSION) {
      Class<? extends OperatorOrder> type = ORDER_TYPES.get(String.valueOf(received.type()));
      if (type != null) return order(received.order(), type);
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

  private static MetaEntry nextConfig(@Nullable ConfigVersion version) throws IOException {
    if (version == null) throw new IOException("an entry of the meta group has no configuration");
    Optional<String> problem = version.problem();
    if (problem.isPresent()) {
      throw new IOException("an entry of the meta group has a bad configuration: " + problem.get());
    }
    return new MetaEntry.NextConfig(version);
  }

  private static MetaEntry order(@Nullable JsonNode json, Class<? extends OperatorOrder> type)
      throws IOException {
    OperatorOrder order;
    try {
      order = json == null ? null : JSON.treeToValue(json, type);
    } catch (JacksonException e) {
      throw new IOException("an entry of the meta group has an unreadable order", e);
    }
    if (order == null) throw new IOException("an entry of the meta group has no order");
    Optional<String> problem = order.problem();
    if (problem.isPresent()) {
      throw new IOException("an entry of the meta group has a bad order: " + problem.get());
    }
    return new MetaEntry.Order(order);
  }

  /** JSON may leave any of them out. */
  private static boolean hasAllFields(RegisteredNode node) {
    return Stream.of(node.nodeId(), node.peerId(), node.host(), node.region(), node.zone())
        .allMatch(Objects::nonNull);
  }

  @Override
  public void skip(LogPosition position) {
    replace(registry.at(position));
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
    store(read(source.resolve(FILE)));
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
