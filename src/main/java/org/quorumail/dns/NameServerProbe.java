package org.quorumail.dns;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.Name;
import org.xbill.DNS.Type;

/**
 * The check whether any name server answers, made past the cache. Callers share one question at a
 * time, and its answer for two seconds, so that no caller can make this node flood the servers.
 * Thread-safe.
 */
final class NameServerProbe {
  /** A probe within this time after another one gets the same answer. */
  private static final Duration REUSE_FOR = Duration.ofSeconds(2);

  /** Every recursive server knows the servers of the root. */
  private static final Question QUESTION = new Question(Name.root, Type.NS);

  private final NameServers servers;
  private @Nullable CompletableFuture<Boolean> lastProbe;
  private long lastProbeNanos;

  NameServerProbe(NameServers servers) {
    this.servers = servers;
  }

  boolean isReachable(Duration timeout) {
    try {
      return ask().get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException | ExecutionException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private synchronized CompletableFuture<Boolean> ask() {
    CompletableFuture<Boolean> last = lastProbe;
    long now = System.nanoTime();
    boolean fresh = last != null && (!last.isDone() || now - lastProbeNanos < REUSE_FOR.toNanos());
    if (last != null && fresh) return last;
    CompletableFuture<Boolean> next = new CompletableFuture<>();
    lastProbe = next;
    lastProbeNanos = now;
    Thread.ofVirtual()
        .name("dns-probe")
        .start(() -> next.complete(!(servers.query(QUESTION) instanceof QueryResult.Failure)));
    return next;
  }
}
