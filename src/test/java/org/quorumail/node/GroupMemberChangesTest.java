package org.quorumail.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.quorumail.cluster.GroupMembers;

class GroupMemberChangesTest {
  private static final GroupMembers TWO = new GroupMembers(List.of("n1-1", "n2-1"), List.of());

  private final Map<String, CompletableFuture<Void>> begun = new LinkedHashMap<>();
  private long now;
  private final GroupMemberChanges changes =
      new GroupMemberChanges(this::begin, peer -> peer, () -> now);

  private CompletableFuture<Void> begin(String group, GroupMembers next) {
    CompletableFuture<Void> result = new CompletableFuture<>();
    begun.put(group, result);
    return result;
  }

  /** A new member that is slow must not keep the node from its other groups and from new maps. */
  @Test
  void aChangeThatLastsHoldsUpNoOther() {
    changes.begin("spool-n1", TWO);
    changes.begin("meta", TWO);
    assertThat(begun).containsOnlyKeys("spool-n1", "meta");
    Objects.requireNonNull(begun.get("meta")).complete(null);
    changes.removeEnded();
    assertThat(changes.isRunning("meta")).isFalse();
    assertThat(changes.isRunning("spool-n1")).isTrue();
    assertThatThrownBy(() -> changes.begin("spool-n1", TWO))
        .as("never two changes at once")
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void aChangeThatFailedOrGotNoReplyIsBegunAgain() {
    changes.begin("spool-n1", TWO);
    changes.begin("spool-n2", TWO);
    Objects.requireNonNull(begun.get("spool-n1"))
        .completeExceptionally(new IllegalStateException("not the leader"));
    changes.removeEnded();
    assertThat(changes.isRunning("spool-n1")).isFalse();
    now += GroupMemberChanges.TIMEOUT.toNanos();
    changes.removeEnded();
    assertThat(changes.isRunning("spool-n2")).isTrue();
    now++;
    changes.removeEnded();
    assertThat(changes.isRunning("spool-n2")).isFalse();
    changes.begin("spool-n2", TWO);
    assertThat(changes.isRunning("spool-n2")).isTrue();
  }
}
