package org.quorumail.upkeep;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class PeriodicTasksTest {
  private static final Duration PAUSE = Duration.ofMillis(5);

  @Test
  void aTaskThatFailsRunsAgain() {
    AtomicInteger runs = new AtomicInteger();
    try (PeriodicTasks tasks = new PeriodicTasks()) {
      tasks.start(
          "failing",
          PAUSE,
          () -> {
            runs.incrementAndGet();
            throw new IllegalStateException("each time");
          });
      await().atMost(Duration.ofSeconds(10)).until(() -> runs.get() >= 3);
    }
  }

  @Test
  void aDiskThatFailsIsOneSentenceInTheLogWithoutATrace() {
    Logger logger = (Logger) LoggerFactory.getLogger(PeriodicTasks.class);
    ListAppender<ILoggingEvent> lines = new ListAppender<>();
    lines.start();
    logger.addAppender(lines);
    try (PeriodicTasks tasks = new PeriodicTasks()) {
      tasks.start(
          "full",
          PAUSE,
          () -> {
            throw new UncheckedIOException(new IOException("no space left on /spool"));
          });
      await().atMost(Duration.ofSeconds(10)).until(() -> !lines.list.isEmpty());
    } finally {
      logger.detachAppender(lines);
    }
    ILoggingEvent line = lines.list.getFirst();
    assertThat(line.getFormattedMessage())
        .isEqualTo(
            "event=upkeep_failed task=full reason=\"java.io.IOException: no space left on"
                + " /spool\"");
    assertThat(line.getThrowableProxy()).isNull();
  }

  @Test
  void aSlowTaskDelaysNoOther() throws Exception {
    AtomicInteger runs = new AtomicInteger();
    CountDownLatch never = new CountDownLatch(1);
    try (PeriodicTasks tasks = new PeriodicTasks()) {
      tasks.start("stuck", PAUSE, never::await);
      tasks.start("quick", PAUSE, runs::incrementAndGet);
      await().atMost(Duration.ofSeconds(10)).until(() -> runs.get() >= 3);
    }
  }

  @Test
  void aTaskRunsOnAPlatformThreadSinceANativeCallWouldHoldACarrier() {
    AtomicReference<@Nullable Boolean> virtual = new AtomicReference<>();
    try (PeriodicTasks tasks = new PeriodicTasks()) {
      tasks.start("native", PAUSE, () -> virtual.set(Thread.currentThread().isVirtual()));
      await().atMost(Duration.ofSeconds(10)).until(() -> virtual.get() != null);
    }
    assertThat(virtual.get()).isFalse();
  }

  @Test
  void noTaskRunsOrStartsAfterTheClose() throws Exception {
    AtomicInteger runs = new AtomicInteger();
    CountDownLatch interrupted = new CountDownLatch(1);
    PeriodicTasks tasks = new PeriodicTasks();
    tasks.start(
        "waiting",
        PAUSE,
        () -> {
          try {
            new CountDownLatch(1).await();
          } catch (InterruptedException e) {
            interrupted.countDown();
            throw e;
          }
        });
    tasks.start("later", Duration.ofHours(1), PAUSE, runs::incrementAndGet);
    Thread.sleep(20); // the first task waits in its run
    tasks.close();
    interrupted.await();
    assertThat(runs).hasValue(0);
    assertThatThrownBy(() -> tasks.start("late", PAUSE, runs::incrementAndGet))
        .isInstanceOf(IllegalStateException.class);
  }
}
