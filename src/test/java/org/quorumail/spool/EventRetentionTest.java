package org.quorumail.spool;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.quorumail.spool.EventRetention.SizedSegment;
import org.quorumail.spool.EventRows.Segment;

/** Segments of an hour; at most a day and 3,200 bytes are kept. */
class EventRetentionTest {
  private static final long HOUR = Duration.ofHours(1).toMillis();
  private static final long NOW = 1_000 * HOUR;

  private final EventRetention retention =
      new EventRetention(
          Duration.ofDays(1), 3_200, Clock.fixed(Instant.ofEpochMilli(NOW), ZoneOffset.UTC));

  /** Segments of so many bytes; the last began that long ago, those before an hour apart. */
  private static List<SizedSegment> segments(long lastAge, long... bytes) {
    List<SizedSegment> segments = new ArrayList<>();
    for (int i = 0; i < bytes.length; i++) {
      long at = NOW - lastAge - (bytes.length - 1 - i) * HOUR;
      segments.add(new SizedSegment(new Segment(5 + i, 100L * i, at), bytes[i]));
    }
    return segments;
  }

  @Test
  void aSegmentEndsAfterAnHourOrWhenItIsLarge() {
    assertThat(retention.next(segments(HOUR - 1, 50, 99), false)).isEmpty();
    assertThat(retention.next(segments(HOUR, 50, 99), false))
        .contains(new SpoolEntry.EventSegment(7, 5, NOW));
    assertThat(retention.next(segments(1, 50, 100), false))
        .contains(new SpoolEntry.EventSegment(7, 5, NOW));
    assertThat(retention.next(List.of(), true)).isEmpty();
  }

  @Test
  void theOldestGoWhenTheirEndIsTooLongAgo() {
    long[] bytes = new long[30];
    java.util.Arrays.fill(bytes, 1);
    // the segment 5 + i ended 28 - i hours ago
    assertThat(retention.next(segments(1, bytes), false).map(SpoolEntry.EventSegment::dropBefore))
        .contains(5 + 5);
  }

  @Test
  void theOldestGoUntilTheRestFits() {
    assertThat(dropBefore(segments(1, 1_500, 1_500, 1_500, 10), false)).contains(6);
    assertThat(dropBefore(segments(1, 10, 10, 10, 3_300), false)).contains(9); // even the last
  }

  @Test
  void halfOfThemGoWhenTheDiskIsFull() {
    assertThat(dropBefore(segments(1, 90, 90, 90, 90), true)).contains(7);
    assertThat(dropBefore(segments(1, 90, 90, 90, 90), false)).isEmpty();
  }

  private Optional<Integer> dropBefore(List<SizedSegment> segments, boolean isDiskFull) {
    return retention.next(segments, isDiskFull).map(SpoolEntry.EventSegment::dropBefore);
  }
}
