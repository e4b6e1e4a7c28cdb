package org.quorumail.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.quorumail.replication.TestCluster.append;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Three nodes with mutual TLS. */
class ClusterTest {
  @TempDir Path directory;

  @Test
  void anEntryAppendedAtTheLeaderOrAtAFollowerIsAppliedEverywhere() throws Exception {
    try (TestCluster cluster = new TestCluster(directory, "n1", "n2", "n3").start()) {
      assertThat(append(cluster.leader(), "a")).isEqualTo("1");
      assertThat(append(cluster.follower(), "a")).isEqualTo("2");
      cluster.awaitEqualStates();
      assertThat(cluster.follower().state().count("a")).isEqualTo(2);
    }
  }
}
