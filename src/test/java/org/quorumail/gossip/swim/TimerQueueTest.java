package org.quorumail.gossip.swim;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class TimerQueueTest {
  private final TimerQueue timers = new TimerQueue();
  private final List<Integer> ran = new ArrayList<>();

  @Test
  void timersRunByTimeAndEqualTimesInTheOrderSet() {
    set(30, 1);
    set(10, 2);
    set(30, 3);
    set(20, 4);
    timers.run(25);
    assertThat(ran).containsExactly(2, 4);
    assertThat(timers.deadline()).isEqualTo(30);
    timers.run(30);
    assertThat(ran).containsExactly(2, 4, 1, 3);
    assertThat(timers.deadline()).isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void aCancelledTimerIsRemovedAtOnce() {
    TimerQueue.Timer first = set(10, 1);
    set(20, 2);
    timers.cancel(first);
    timers.cancel(first);
    assertThat(timers.size()).isEqualTo(1);
    assertThat(timers.deadline()).isEqualTo(20);
    timers.run(20);
    assertThat(ran).containsExactly(2);
  }

  @Test
  void aTimerSetForNowByATimerRunsInTheSameTurn() {
    timers.set(10, () -> set(10, 1));
    timers.run(10);
    assertThat(ran).containsExactly(1);
  }

  @Test
  void aPostponementMovesAll() {
    set(10, 1);
    set(20, 2);
    timers.postpone(100);
    timers.run(110);
    assertThat(ran).containsExactly(1);
    assertThat(timers.deadline()).isEqualTo(120);
  }

  @Test
  void amongThousandsWithMostCancelledTheOthersRunInOrder() {
    SplittableRandom random = new SplittableRandom(7);
    List<int[]> kept = new ArrayList<>();
    List<TimerQueue.Timer> cancelled = new ArrayList<>();
    for (int i = 0; i < 5_000; i++) {
      int at = random.nextInt(500);
      TimerQueue.Timer timer = set(at, i);
      if (random.nextInt(4) > 0) cancelled.add(timer);
      else kept.add(new int[] {at, i});
      if (cancelled.size() > 50) {
        timers.cancel(cancelled.remove(random.nextInt(cancelled.size())));
      }
    }
    cancelled.forEach(timers::cancel);
    assertThat(timers.size()).isEqualTo(kept.size());
    kept.sort(Comparator.comparingInt(row -> row[0]));
    timers.run(500);
    assertThat(ran).isEqualTo(kept.stream().map(row -> row[1]).toList());
  }

  private TimerQueue.Timer set(long at, int number) {
    return timers.set(at, () -> ran.add(number));
  }
}
