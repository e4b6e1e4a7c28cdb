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
 * The poller of all discovery sources, side by side: a source that fails or hangs does not block
 * the others. One thread polls, any thread closes; each source is asked in a thread of its own,
 * once at a time.
 */
public final class DiscoveryPoller implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(DiscoveryPoller.class);

  /** The limit for all sources together; a later answer counts at the next poll, a second later. */
  private static final Duration TIMEOUT = Duration.ofSeconds(1);

  /** A source that takes longer is logged: DNS gives up after some ten seconds. */
  private static final Duration WARN_AFTER = Duration.ofSeconds(20);

  private final List<PolledSource> sources;

  public DiscoveryPoller(List<NodeDiscovery> sources) {
    this.sources = sources.stream().map(PolledSource::new).toList();
  }

  /** The addresses that the sources find; the previous ones of a source that fails or is late. */
  public Set<InetSocketAddress> find() throws InterruptedException {
    sources.forEach(PolledSource::start);
    long deadline = System.nanoTime() + TIMEOUT.toNanos();
    Set<InetSocketAddress> found = new LinkedHashSet<>();
    for (PolledSource source : sources) found.addAll(source.await(deadline - System.nanoTime()));
    return found;
  }

  /** Replaces the keys of the sources that seal their messages. */
  public void replaceKeys(KeyRing ring) {
    for (PolledSource source : sources) source.discovery.replaceKeys(ring);
  }

  @Override
  public void close() {
    sources.forEach(PolledSource::close);
  }

  /** One source, its running query and its last answer. */
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
      // a platform thread: a blocking source must not occupy a carrier of the virtual threads
      Thread.ofPlatform().daemon().name("gossip-discovery-source").start(task);
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
        LOG.trace("event=gossip_discovery_cancelled");
      }
      return lastFound;
    }

    private static String reason(@Nullable Throwable cause) {
      if (cause instanceof IOException e && e.getMessage() != null) return e.getMessage();
      LOG.debug("event=gossip_discovery_threw", cause); // a bug of a custom source
      return String.valueOf(cause);
    }

    /** Logs a failure once per outage, not once per poll. */
    private void logFailure(String reason) {
      if (!reason.equals(lastFailure)) {
        String source = discovery.getClass().getSimpleName();
        LOG.warn("event=gossip_discovery_failed source={} reason=\"{}\"", source, reason);
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
