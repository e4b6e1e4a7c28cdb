package org.quorumail.node;

import java.time.Duration;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.quorumail.cluster.ConfigStatus;
import org.quorumail.cluster.ConfigVersion;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The thread that puts the versions of the cluster's configuration into force on this node, in
 * their order. It reads files and opens tables, which the thread that applies entries must not.
 */
public final class ReplicatedConfigFollower implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ReplicatedConfigFollower.class);

  private final ConfigReloader reloader;
  private final Consumer<ConfigStatus> onStatus;
  private final LinkedBlockingQueue<ConfigVersion> versions = new LinkedBlockingQueue<>();
  private final Thread thread;
  private long followed;

  /**
   * @param onStatus gets the state after each version
   */
  public ReplicatedConfigFollower(ConfigReloader reloader, Consumer<ConfigStatus> onStatus) {
    this.reloader = reloader;
    this.onStatus = onStatus;
    this.thread = Thread.ofPlatform().name("cluster-configuration").daemon().start(this::run);
  }

  /** Takes the latest version. Does not block. */
  public void changed(ConfigVersion latest) {
    versions.add(latest);
  }

  /** Waits until a version, or a later one, was tried; false when it was not in time. */
  public synchronized boolean await(long version, Duration timeout) throws InterruptedException {
    long until = System.nanoTime() + timeout.toNanos();
    while (followed < version) {
      long left = TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime());
      if (left <= 0) return false;
      wait(left);
    }
    return true;
  }

  private void run() {
    try {
      while (true) {
        ConfigVersion version = versions.take();
        for (ConfigVersion later = versions.poll(); later != null; later = versions.poll()) {
          version = later;
        }
        follow(version);
      }
    } catch (InterruptedException e) {
      LOG.debug("event=cluster_configuration_thread_ended");
    }
  }

  private void follow(ConfigVersion version) {
    try {
      reloader.follow(version);
      onStatus.accept(reloader.status());
    } catch (RuntimeException e) {
      LOG.error("event=cluster_configuration_failed version={}", version.version(), e);
    }
    synchronized (this) {
      followed = version.version();
      notifyAll();
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
