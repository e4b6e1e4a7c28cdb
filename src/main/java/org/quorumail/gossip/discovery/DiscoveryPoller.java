package org.quorumail.gossip.discovery;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.transport.KeyRing;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All ways to find others, asked side by side: one that fails, or hangs, keeps no other from being
 * heard. Used by one thread, closed by any; each way is asked in a thread of its own, by one at a
 * time.
 */
public final class DiscoveryPoller implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(DiscoveryPoller.class);

  /** For all ways together; what comes later counts at the next look, a second on. */
  private static final Duration TIMEOUT = Duration.ofSeconds(1);

  /** A way that is silent for longer is named in the log: DNS gives up after some ten seconds. */
  private static final Duration WARN_AFTER = Duration.ofSeconds(20);

  private final List<PolledSource> sources;

  public DiscoveryPoller(List<NodeDiscovery> ways) {
    this.sources = ways.stream().map(PolledSource::new).toList();
  }

  /** What the ways say now; of one that fails or is not ready what it said last. */
  public Set<InetSocketAddress> find() throws InterruptedException {
    sources.forEach(PolledSource::start);
    long deadline = System.nanoTime() + TIMEOUT.toNanos();
    Set<InetSocketAddress> found = new LinkedHashSet<>();
    for (PolledSource way : sources) found.addAll(way.await(deadline - System.nanoTime()));
    return found;
  }

  public void replaceKeys(KeyRing ring) {
    for (PolledSource way : sources) way.discovery.replaceKeys(ring);
  }

  @Override
  public void close() {
    sources.forEach(PolledSource::close);
  }

  private static final class PolledSource {
    private final NodeDiscovery discovery;
    private volatile @Nullable FutureTask<List<InetSocketAddress>> running;
    private long startedAt;
    private List<InetSocketAddress> lastFound = List.of();
    private String lastFailure = "";

    PolledSource(NodeDiscovery discovery) {
      this.discovery = discovery;
    }

    void start() {
      if (running != null) return;
      FutureTask<List<InetSocketAddress>> task =
          new FutureTask<>(() -> List.copyOf(discovery.find()));
      running = task;
      startedAt = System.nanoTime();
      // a platform thread: a way that holds on to its processor must not take one of the node's
      Thread.ofPlatform().daemon().name("gossip-discovery-way").start(task);
    }

    List<InetSocketAddress> await(long nanos) throws InterruptedException {
      FutureTask<List<InetSocketAddress>> task = running;
      if (task == null) return lastFound;
      try {
        lastFound = task.get(Math.max(0, nanos), TimeUnit.NANOSECONDS);
        running = null;
        lastFailure = "";
      } catch (TimeoutException e) {
        if (System.nanoTime() - startedAt > WARN_AFTER.toNanos()) {
          logFailure("no answer for more than %d s".formatted(WARN_AFTER.toSeconds()));
        }
      } catch (ExecutionException e) {
        running = null;
        logFailure(reason(e.getCause()));
      } catch (CancellationException e) {
        log.trace("gossip_discovery_over");
      }
      return lastFound;
    }

    private static String reason(@Nullable Throwable cause) {
      if (cause instanceof IOException e && e.getMessage() != null) return e.getMessage();
      log.debug("gossip_discovery_broken", cause); // a custom one's own fault
      return String.valueOf(cause);
    }

    /** Once per outage, not once per look. */
    private void logFailure(String reason) {
      if (!reason.equals(lastFailure)) {
        String way = discovery.getClass().getSimpleName();
        log.warn("gossip_discovery_failed way={} reason=\"{}\"", way, reason);
      }
      lastFailure = reason;
    }

    void close() {
      FutureTask<List<InetSocketAddress>> task = running;
      if (task != null) task.cancel(true);
      discovery.close();
    }
  }
}
