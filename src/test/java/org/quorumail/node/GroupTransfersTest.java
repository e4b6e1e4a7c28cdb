package org.quorumail.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class GroupTransfersTest {
  private static final Duration LONG = Duration.ofSeconds(10);

  private final TreeSet<String> led = new TreeSet<>(List.of("meta", "spool-a"));
  private final List<String> tries = new ArrayList<>();

  @Test
  void allGroupsMove() throws Exception {
    assertThat(transfers(true, 1).run(LONG)).isEmpty();
    assertThat(tries).containsExactly("meta", "spool-a");
  }

  @Test
  void aMemberThatHasNotCaughtUpIsTriedAgain() throws Exception {
    assertThat(transfers(true, 3).run(LONG)).isEmpty();
    assertThat(tries).containsExactly("meta", "spool-a", "spool-a", "spool-a");
  }

  @Test
  void withoutAnyReadyMemberTheStopIsNotHeldUp() throws Exception {
    assertThat(transfers(false, Integer.MAX_VALUE).run(LONG)).containsExactly("spool-a");
    assertThat(tries).containsExactly("meta", "spool-a");
  }

  @Test
  void theTimeForTransfersIsBounded() throws Exception {
    assertThat(transfers(true, Integer.MAX_VALUE).run(Duration.ZERO)).containsExactly("spool-a");
  }

  @Test
  void aGroupThatTheNodeIsElectedToLeadMeanwhileMovesToo() throws Exception {
    GroupTransfers transfers =
        new GroupTransfers(
            () -> List.copyOf(led),
            group -> {
              tries.add(group);
              led.remove(group);
              if (group.equals("spool-a") && tries.size() == 2) led.add("spool-b");
              return true;
            },
            group -> true);
    assertThat(transfers.run(LONG)).isEmpty();
    assertThat(tries).containsExactly("meta", "spool-a", "spool-b");
  }

  /** The spool moves with the given try. */
  private GroupTransfers transfers(boolean mayMove, int successfulTry) {
    return new GroupTransfers(
        () -> List.copyOf(led),
        group -> {
          tries.add(group);
          boolean moves =
              group.equals("meta") || tries.stream().filter(group::equals).count() >= successfulTry;
          if (moves) led.remove(group);
          return moves;
        },
        group -> mayMove);
  }
}
