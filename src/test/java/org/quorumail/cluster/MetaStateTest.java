package org.quorumail.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.replication.LogPosition;

class MetaStateTest {
  @TempDir Path directory;

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

  private MetaState opened(String name) throws IOException {
    MetaState state = new MetaState(directory.resolve(name));
    state.open();
    return state;
  }
}
