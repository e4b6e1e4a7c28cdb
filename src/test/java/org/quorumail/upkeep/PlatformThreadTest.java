package org.quorumail.upkeep;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class PlatformThreadTest {
  @Test
  void theWorkOfAVirtualThreadRunsOnAPlatformThread() throws Exception {
    boolean virtual =
        onVirtualThread(
            () -> PlatformThread.call("long-work", () -> Thread.currentThread().isVirtual()));
    assertThat(virtual).isFalse();
  }

  @Test
  void theWorkOfAPlatformThreadStaysThere() {
    Thread worker = PlatformThread.call("long-work", Thread::currentThread);
    assertThat(worker).isSameAs(Thread.currentThread());
  }

  @Test
  void aFailureReachesTheCallerAsItIs() {
    assertThatThrownBy(
            () ->
                onVirtualThread(
                    () ->
                        PlatformThread.call(
                            "long-work",
                            () -> {
                              throw new IllegalArgumentException("the disk");
                            })))
        .hasRootCauseInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aVirtualThreadMayNotMakeALongNativeCall() {
    PlatformThread.require();
    assertThatThrownBy(
            () ->
                onVirtualThread(
                    () -> {
                      PlatformThread.require();
                      return true;
                    }))
        .hasRootCauseInstanceOf(IllegalStateException.class);
  }

  private static <T> T onVirtualThread(java.util.function.Supplier<T> work) throws Exception {
    return CompletableFuture.supplyAsync(work, task -> Thread.ofVirtual().start(task))
        .get(10, TimeUnit.SECONDS);
  }
}
