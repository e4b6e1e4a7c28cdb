package org.quorumail.upkeep;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;

/**
 * The guard of long native calls and long file work. A native call holds the carrier of a virtual
 * thread until it returns, so a few of them would stop all sessions of a node with few cores.
 */
public final class PlatformThread {
  /** More pieces of long work at once would only wait for the same disk. */
  private static final int CALLS_MAX = 2;

  private static final Semaphore CALLS = new Semaphore(CALLS_MAX, true);

  private PlatformThread() {}

  /** Checks that the calling thread may make a long native call. */
  public static void require() {
    if (Thread.currentThread().isVirtual())
      throw new IllegalStateException(
          "a virtual thread makes a long native call: " + Thread.currentThread().getName());
  }

  /**
   * Runs long work: on this thread if it is a platform thread, else on one of its own, for which
   * the caller waits. At most two such threads run at a time. An interrupt does not end the work.
   *
   * @param name of the thread
   */
  public static <T> T call(String name, Supplier<T> work) {
    if (!Thread.currentThread().isVirtual()) return work.get();
    CALLS.acquireUninterruptibly();
    try {
      CompletableFuture<T> result = new CompletableFuture<>();
      Thread.ofPlatform().daemon().name(name).start(() -> run(work, result));
      return result.join();
    } catch (CompletionException e) {
      throw unwrapped(e);
    } finally {
      CALLS.release();
    }
  }

  private static <T> void run(Supplier<T> work, CompletableFuture<T> result) {
    try {
      result.complete(work.get());
    } catch (RuntimeException | Error e) {
      result.completeExceptionally(e);
    }
  }

  private static RuntimeException unwrapped(CompletionException e) {
    if (e.getCause() instanceof Error failure) throw failure;
    return e.getCause() instanceof RuntimeException failure ? failure : e;
  }
}
