package org.quorumail.gossip.net;

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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All ways to find others, asked side by side: one that fails, or hangs, keeps no other from being
 * heard. Used by one thread, closed by any; each way is asked in a thread of its own, by one at a
 * time.
 */
final class Discoveries implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Discoveries.class);

  /** For all ways together; what comes later counts at the next look, a second on. */
  private static final Duration PATIENCE = Duration.ofSeconds(1);

  /** A way that is silent for longer is named in the log: DNS gives up after some ten seconds. */
  private static final Duration SILENT = Duration.ofSeconds(20);

  private final List<Way> ways;

  Discoveries(List<NodeDiscovery> ways) {
    this.ways = ways.stream().map(Way::new).toList();
  }

  /** What the ways say now; of one that fails or is not ready what it said last. */
  Set<InetSocketAddress> find() throws InterruptedException {
    ways.forEach(Way::ask);
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    Set<InetSocketAddress> found = new LinkedHashSet<>();
    for (Way way : ways) found.addAll(way.answer(deadline - System.nanoTime()));
    return found;
  }

  void use(KeyRing ring) {
    for (Way way : ways) way.discovery.use(ring);
  }

  @Override
  public void close() {
    ways.forEach(Way::close);
  }

  private static final class Way {
    private final NodeDiscovery discovery;
    private volatile @Nullable FutureTask<List<InetSocketAddress>> asked;
    private long askedAt;
    private List<InetSocketAddress> last = List.of();
    private String complaint = "";

    Way(NodeDiscovery discovery) {
      this.discovery = discovery;
    }

    void ask() {
      if (asked != null) return;
      FutureTask<List<InetSocketAddress>> task =
          new FutureTask<>(() -> List.copyOf(discovery.find()));
      asked = task;
      askedAt = System.nanoTime();
      // a platform thread: a way that holds on to its processor must not take one of the node's
      Thread.ofPlatform().daemon().name("gossip-discovery-way").start(task);
    }

    List<InetSocketAddress> answer(long nanos) throws InterruptedException {
      FutureTask<List<InetSocketAddress>> task = asked;
      if (task == null) return last;
      try {
        last = task.get(Math.max(0, nanos), TimeUnit.NANOSECONDS);
        asked = null;
        complaint = "";
      } catch (TimeoutException e) {
        if (System.nanoTime() - askedAt > SILENT.toNanos()) {
          complain("no answer for more than %d s".formatted(SILENT.toSeconds()));
        }
      } catch (ExecutionException e) {
        asked = null;
        complain(reason(e.getCause()));
      } catch (CancellationException e) {
        log.trace("gossip_discovery_over");
      }
      return last;
    }

    private static String reason(@Nullable Throwable cause) {
      if (cause instanceof IOException e && e.getMessage() != null) return e.getMessage();
      log.debug("gossip_discovery_broken", cause); // a custom one's own fault
      return String.valueOf(cause);
    }

    /** Once per outage, not once per look. */
    private void complain(String reason) {
      if (!reason.equals(complaint)) {
        String way = discovery.getClass().getSimpleName();
        log.warn("gossip_discovery_failed way={} reason=\"{}\"", way, reason);
      }
      complaint = reason;
    }

    void close() {
      FutureTask<List<InetSocketAddress>> task = asked;
      if (task != null) task.cancel(true);
      discovery.close();
    }
  }
}
