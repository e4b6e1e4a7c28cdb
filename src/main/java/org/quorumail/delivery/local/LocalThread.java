package org.quorumail.delivery.local;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.BooleanSupplier;

/**
 * The platform threads of local deliveries, one for each, since a forced write or a program would
 * hold the carrier of a virtual thread. The sessions of a destination limit their number.
 */
public final class LocalThread {
  private LocalThread() {}

  /** Delivers on a platform thread, and waits for the result. */
  public static LocalResult deliver(
      LocalTarget target, LocalMessage message, BooleanSupplier mayDeliver) {
    CompletableFuture<LocalResult> result = new CompletableFuture<>();
    Thread.ofPlatform()
        .daemon()
        .name("local-delivery")
        .start(() -> run(target, message, mayDeliver, result));
    try {
      return result.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException fault) throw fault;
      throw e;
    }
  }

  private static void run(
      LocalTarget target,
      LocalMessage message,
      BooleanSupplier mayDeliver,
      CompletableFuture<LocalResult> result) {
    try {
      result.complete(target.deliver(message, mayDeliver));
    } catch (RuntimeException | Error e) {
      result.completeExceptionally(e);
    }
  }
}
