package org.quorumail.upkeep;

import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The background tasks of one owner, each repeated with a fixed pause between two runs. A run that
 * fails is logged and the task goes on with its next run. Each task has a platform thread of its
 * own: a slow task delays no other, and its native calls hold no carrier of the sessions.
 */
public final class PeriodicTasks implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PeriodicTasks.class);

  private final List<Thread> threads = new CopyOnWriteArrayList<>();
  private volatile boolean closed;

  /** A piece of upkeep; an interrupt ends the task. */
  @FunctionalInterface
  public interface Task {
    void run() throws InterruptedException;
  }

  /** Starts a task: the first run begins at once, each further one {@code pause} after the last. */
  public void start(String name, Duration pause, Task task) {
    start(name, Duration.ZERO, pause, task);
  }

  /**
   * Starts a task.
   *
   * @param name of the thread, and in the log when a run fails
   * @param delay before the first run
   * @param pause between the end of a run and the next one
   */
  public void start(String name, Duration delay, Duration pause, Task task) {
    if (pause.isZero() || pause.isNegative()) throw new IllegalArgumentException("no pause");
    if (closed) throw new IllegalStateException("a task starts after the close: " + name);
    threads.add(
        Thread.ofPlatform().daemon().name(name).start(() -> repeat(name, delay, pause, task)));
  }

  /** Ends all tasks and does not wait for runs that are under way. */
  @Override
  public void close() {
    closed = true;
    threads.forEach(Thread::interrupt);
  }

  private void repeat(String name, Duration delay, Duration pause, Task task) {
    try {
      Thread.sleep(delay);
      while (!closed) {
        attempt(name, task);
        Thread.sleep(pause);
      }
    } catch (InterruptedException e) {
      LOG.debug("event=upkeep_ended task={}", name);
    }
  }

  private void attempt(String name, Task task) throws InterruptedException {
    try {
      task.run();
    } catch (UncheckedIOException e) { // a disk or a peer: no fault of the program's
      if (closed) return; // the owner's parts are being closed under the task
      LOG.warn("event=upkeep_failed task={} reason=\"{}\"", name, e.getMessage());
    } catch (RuntimeException e) {
      if (closed) return;
      LOG.warn("event=upkeep_failed task={} reason=\"{}\"", name, e.toString(), e);
    }
  }
}
