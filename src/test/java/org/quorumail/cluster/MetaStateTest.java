package org.quorumail.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.cluster.OperatorOrder.RemoveMxOverride;
import org.quorumail.cluster.OperatorOrder.Resume;
import org.quorumail.cluster.OperatorOrder.SetMxOverride;
import org.quorumail.cluster.OperatorOrder.Suspend;
import org.quorumail.replication.LogPosition;

class MetaStateTest {
  @TempDir Path directory;
  private final List<OperatorOrders> followed = new ArrayList<>();
  private final List<ConfigVersion> versions = new ArrayList<>();

  /** A part of a node that notes what it gets. */
  static MetaState.Listener follower(List<OperatorOrders> orders, List<ConfigVersion> versions) {
    return new MetaState.Listener() {
      @Override
      public void ordersChanged(OperatorOrders changed) {
        orders.add(changed);
      }

      @Override
      public void configurationChanged(ConfigVersion latest) {
        versions.add(latest);
      }
    };
  }

  private static ByteBuffer entry(String nodeId) {
    return ByteBuffer.wrap(
        MetaState.registerEntry(
            new MetaState.RegisteredNode(nodeId, nodeId + "-1", "h", 7947, "r", "z")));
  }

  @Test
  void whatASnapshotHoldsIsFoundAgainAfterARestart() throws IOException {
    MetaState state = opened("live");
    state.apply(new LogPosition(1, 0), entry("a"));
    state.snapshot(Files.createDirectory(directory.resolve("snapshot")));
    state.apply(new LogPosition(1, 1), entry("b"));

    MetaState again = opened("live");
    assertThat(again.applied()).isEqualTo(new LogPosition(1, 0));
    assertThat(again.nodes()).containsOnlyKeys("a");
  }

  @Test
  void aSnapshotOfAnotherReplicaReplacesEverything() throws IOException {
    MetaState source = opened("source");
    source.apply(new LogPosition(2, 5), entry("a"));
    Path snapshot = Files.createDirectory(directory.resolve("snapshot"));
    source.snapshot(snapshot);

    MetaState target = opened("target");
    target.apply(new LogPosition(1, 0), entry("z"));
    target.install(snapshot);
    assertThat(target.nodes()).containsOnlyKeys("a");
    assertThat(target.applied()).isEqualTo(new LogPosition(2, 5));
  }

  @Test
  void anUnknownEntryStopsTheReplica() throws IOException {
    MetaState state = opened("live");
    String unknown = "{\"version\":9,\"type\":\"promote\",\"node\":null}";
    ByteBuffer entry = ByteBuffer.wrap(unknown.getBytes(StandardCharsets.UTF_8));
    assertThatThrownBy(() -> state.apply(new LogPosition(1, 0), entry))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("promote");
  }

  @Test
  void anEntryThatCouldNotBeAppliedIsRefusedBeforeItIsAppended() throws IOException {
    MetaState state = opened("live");
    state.check(entry("a"));
    String whole = StandardCharsets.UTF_8.decode(entry("a")).toString();
    for (String unreadable :
        List.of(
            "\1\2\3\4",
            "null",
            "{}",
            "[]",
            "{\"version\":1,\"type\":\"register\"}",
            whole.replace("\"register\"", "null"),
            whole.replace("\"nodeId\":\"a\"", "\"nodeId\":null"),
            whole.replace("\"region\":\"r\"", "\"region\":null"),
            whole.replace("\"version\":1", "\"version\":2"))) {
      assertThat(unreadable).isNotEqualTo(whole);
      ByteBuffer entry = ByteBuffer.wrap(unreadable.getBytes(StandardCharsets.UTF_8));
      assertThatThrownBy(() -> state.check(entry)).as(unreadable).isInstanceOf(IOException.class);
    }
  }

  @Test
  void aMapIsAcceptedOnlyAsTheSuccessorOfThePresentOne() throws IOException {
    MetaState state = opened("live");
    ClusterMap one = ClusterMapTest.founded(3).withMember(ClusterMapTest.member(4), 3, m -> true);
    ClusterMap two = one.withMember(ClusterMapTest.member(5), 3, m -> true);
    ClusterMap rival = one.withMember(ClusterMapTest.member(6), 3, m -> true);

    assertThat(apply(state, 0, two)).contains("does not follow revision 0");
    assertThat(state.map()).isEmpty();
    assertThat(apply(state, 1, one)).isEmpty();
    assertThat(apply(state, 2, two)).isEmpty();
    assertThat(apply(state, 3, rival)).contains("does not follow revision 2");
    assertThat(apply(state, 4, one)).isNotEmpty();
    assertThat(state.map()).contains(two);
    assertThat(state.applied()).isEqualTo(new LogPosition(1, 4));

    state.apply(new LogPosition(1, 5), entry("a"));
    state.snapshot(Files.createDirectory(directory.resolve("snapshot")));
    MetaState again = opened("live");
    assertThat(again.map()).contains(two);
    assertThat(again.nodes()).containsOnlyKeys("a");
  }

  @Test
  void aMapThatCouldNotBeUsedIsRefusedBeforeItIsAppended() throws IOException {
    MetaState state = opened("live");
    ClusterMap map = ClusterMapTest.founded(3).withMember(ClusterMapTest.member(4), 3, m -> true);
    String whole = new String(MetaState.mapEntry(map), StandardCharsets.UTF_8);
    state.check(ByteBuffer.wrap(whole.getBytes(StandardCharsets.UTF_8)));
    for (String unreadable :
        List.of(
            "{\"version\":2,\"type\":\"map\"}",
            whole.replace("\"version\":2", "\"version\":3"),
            whole.replaceFirst("\"version\":2", "\"version\":1"),
            whole.replace("\"revision\":1", "\"revision\":-1"),
            whole.replace("\"nodeId\":\"n4\"", "\"nodeId\":null"))) {
      assertThat(unreadable).isNotEqualTo(whole);
      ByteBuffer entry = ByteBuffer.wrap(unreadable.getBytes(StandardCharsets.UTF_8));
      assertThatThrownBy(() -> state.check(entry)).as(unreadable).isInstanceOf(IOException.class);
    }
  }

  @Test
  void theSnapshotOfAnOlderReleaseIsRead() throws IOException {
    Path old = Files.createDirectories(directory.resolve("old"));
    Files.writeString(
        old.resolve("meta.json"),
        """
        {"applied":{"term":2,"index":7},"nodes":{"a":{"nodeId":"a","peerId":"a-1","host":"h",
        "raftPort":7947,"region":"r","zone":"z"}}}
        """);
    MetaState state = opened("old");
    assertThat(state.applied()).isEqualTo(new LogPosition(2, 7));
    assertThat(state.nodes()).containsOnlyKeys("a");
    assertThat(state.map()).isEmpty();
  }

  private static Suspend suspension(String domain, long since, long until) {
    return new Suspend(domain, since, until, "full disk", "user:root");
  }

  private static OperatorOrders.Result give(MetaState state, long index, OperatorOrder order)
      throws IOException {
    ByteBuffer entry = ByteBuffer.wrap(MetaState.orderEntry(order));
    state.check(entry.duplicate());
    return OperatorOrders.Result.ofReply(state.apply(new LogPosition(1, index), entry));
  }

  @Test
  void anOrderIsOnDiskBeforeItTakesEffectAndIsReadAtTheStart() throws IOException {
    MetaState state = opened("live");
    assertThat(state.orders()).isEmpty();
    give(state, 0, suspension("A.test", 1, 100));
    give(state, 1, new SetMxOverride("b.test", "relay.test:25", 2, "token:x"));
    OperatorOrders given = state.orders().orElseThrow();
    assertThat(given.suspensions()).containsOnlyKeys("a.test");
    assertThat(followed).hasSize(2).endsWith(given);

    followed.clear();
    MetaState again = opened("live");
    assertThat(again.orders()).contains(given);
    assertThat(again.applied()).isEqualTo(new LogPosition(1, 1));
    assertThat(followed).containsExactly(given);

    state.apply(new LogPosition(1, 2), entry("a"));
    state.snapshot(Files.createDirectory(directory.resolve("snapshot")));
    followed.clear();
    MetaState target = opened("target");
    target.install(directory.resolve("snapshot"));
    assertThat(target.orders()).contains(given);
    assertThat(followed).containsExactly(given);
  }

  @Test
  void ordersEndAndAreReplaced() throws IOException {
    MetaState state = opened("live");
    assertThat(give(state, 0, new Resume("a.test"))).isEqualTo(OperatorOrders.Result.ABSENT);
    assertThat(give(state, 1, new RemoveMxOverride("a.test")))
        .isEqualTo(OperatorOrders.Result.ABSENT);
    give(state, 2, suspension("ended.test", 1, 50));
    give(state, 3, suspension("a.test", 50, 90));
    give(state, 4, suspension("a.test", 60, 80));
    assertThat(state.orders().orElseThrow().suspensions().values())
        .as("an end is noticed by the time of a later order, the same on all replicas")
        .containsExactly(suspension("a.test", 60, 80));
  }

  @Test
  void tooManyOrdersOfAKindAreRefusedAndReplacingOneIsNot() {
    Map<String, SetMxOverride> most = new TreeMap<>();
    for (int i = 0; i < OperatorOrders.MAX; i++)
      most.put("d" + i, new SetMxOverride("d" + i, "h:25", 1, "x"));
    OperatorOrders full = new OperatorOrders(Map.of(), most);
    assertThat(full.with(new SetMxOverride("one-more", "h:25", 1, "x")).result())
        .isEqualTo(OperatorOrders.Result.FULL);
    assertThat(full.with(new SetMxOverride("d7", "other:25", 1, "x")).next().mxOverrides())
        .hasSize(OperatorOrders.MAX)
        .hasEntrySatisfying("d7", o -> assertThat(o.host()).isEqualTo("other:25"));
    assertThat(full.with(suspension("one-more", 1, 2)).result())
        .isEqualTo(OperatorOrders.Result.DONE);
  }

  @Test
  void anOrderThatCouldNotBeAppliedIsRefusedBeforeItIsAppended() throws IOException {
    MetaState state = opened("live");
    Suspend order = suspension("a.test", 1, 100);
    String whole = new String(MetaState.orderEntry(order), StandardCharsets.UTF_8);
    for (String unreadable :
        List.of(
            "{\"version\":3,\"type\":\"suspend\"}",
            whole.replace("\"version\":3", "\"version\":4"),
            whole.replace("\"suspend\"", "\"stop\""),
            whole.replace("a.test", ""),
            whole.replace("a.test", "a".repeat(256)),
            whole.replace("full disk", "x".repeat(201)),
            whole.replace("\"full disk\"", "null"),
            whole.replace("\"until\":100", "\"until\":1"))) {
      assertThat(unreadable).isNotEqualTo(whole);
      ByteBuffer entry = ByteBuffer.wrap(unreadable.getBytes(StandardCharsets.UTF_8));
      assertThatThrownBy(() -> state.check(entry)).as(unreadable).isInstanceOf(IOException.class);
    }
  }

  private static ConfigVersion version(long number, String toml) {
    return new ConfigVersion(number, 1_000, "user:root", "", toml);
  }

  private static String set(MetaState state, long index, ConfigVersion version) throws IOException {
    ByteBuffer entry = ByteBuffer.wrap(MetaState.configEntry(version));
    state.check(entry.duplicate());
    byte[] reply = state.apply(new LogPosition(1, index), entry);
    return new String(reply, StandardCharsets.UTF_8);
  }

  @Test
  void aVersionIsAcceptedOnlyAsTheSuccessorOfTheLatestAndIsOnDisk() throws IOException {
    MetaState state = opened("live");
    assertThat(set(state, 0, version(2, "x = 1"))).contains("does not follow version 0");
    assertThat(state.configuration()).isEmpty();
    assertThat(set(state, 1, version(1, "x = 1"))).isEmpty();
    assertThat(set(state, 2, version(1, "x = 2"))).contains("does not follow version 1");
    assertThat(set(state, 3, version(2, "x = 3"))).isEmpty();
    assertThat(versions).containsExactly(version(1, "x = 1"), version(2, "x = 3"));

    versions.clear();
    MetaState again = opened("live");
    assertThat(again.configuration()).isEqualTo(state.configuration());
    assertThat(versions).containsExactly(version(2, "x = 3"));
    give(again, 4, suspension("a.test", 1, 100));
    again.apply(new LogPosition(1, 5), entry("a"));
    assertThat(again.configuration().orElseThrow().versions()).hasSize(2);
    assertThat(versions).as("not a new one").hasSize(1);
  }

  @Test
  void theHistoryIsBoundedByNumberAndBytes() {
    ConfigHistory many = ConfigHistory.NONE;
    for (int i = 1; i <= 60; i++) many = many.with(version(i, "x = 1"));
    assertThat(many.versions()).hasSize(50);
    assertThat(many.find(10)).isEmpty();
    assertThat(many.find(11)).isPresent();
    assertThat(many.next()).isEqualTo(61);
    ConfigHistory large = ConfigHistory.NONE;
    String text = "#".repeat(ConfigVersion.TOML_MAX);
    for (int i = 1; i <= 20; i++) large = large.with(version(i, text));
    assertThat(large.versions()).hasSize((1 << 20) / ConfigVersion.TOML_MAX);
    assertThat(large.latest()).map(ConfigVersion::version).contains(20L);
  }

  @Test
  void aVersionThatCouldNotBeKeptIsRefusedBeforeItIsAppended() throws IOException {
    MetaState state = opened("live");
    state.check(ByteBuffer.wrap(MetaState.configEntry(version(1, "x"))));
    for (ConfigVersion bad :
        List.of(
            version(0, "x"),
            version(1, "#".repeat(ConfigVersion.TOML_MAX + 1)),
            new ConfigVersion(1, 1, "x".repeat(101), "", "x"),
            new ConfigVersion(1, 1, "x", "x".repeat(201), "x"))) {
      ByteBuffer entry = ByteBuffer.wrap(MetaState.configEntry(bad));
      assertThatThrownBy(() -> state.check(entry)).isInstanceOf(IOException.class);
    }
  }

  private static String apply(MetaState state, long index, ClusterMap map) throws IOException {
    byte[] reply = state.apply(new LogPosition(1, index), ByteBuffer.wrap(MetaState.mapEntry(map)));
    return new String(reply, StandardCharsets.UTF_8);
  }

  private MetaState opened(String name) throws IOException {
    MetaState state = new MetaState(directory.resolve(name), follower(followed, versions));
    state.open();
    return state;
  }
}
