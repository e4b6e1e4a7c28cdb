package org.quorumail.smtp.server;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The memory that the SMTP sessions of a node may hold together: connections, TLS, envelopes and
 * content. Each session charges what it holds by estimate, from above, to a {@link SessionMemory};
 * what does not fit is refused with 421, 452 or 454 before the heap is full. Thread-safe.
 *
 * <p>The first uses are refused first, so that transactions which have begun can end.
 */
public final class MemoryBudget {
  private static final Logger LOG = LoggerFactory.getLogger(MemoryBudget.class);
  private static final int PERCENT = 100;
  private static final long LOG_INTERVAL = Duration.ofSeconds(10).toNanos();

  /** The share of the heap that is given when the configuration names no size. */
  private static final int DEFAULT_DIVISOR = 2;

  /** The most of the heap, in percent: the spool, the queue and the collector need the rest. */
  private static final int MAX_HEAP_PERCENT = 75;

  private final long limit;
  private final AtomicLong used = new AtomicLong();
  private final AtomicLong loggedAt = new AtomicLong(System.nanoTime() - LOG_INTERVAL);

  /** A purpose of memory, which is refused when the budget is filled up to its percentage. */
  enum Use {
    CONNECTION(70),
    TRANSACTION(80),
    RECIPIENT(90),
    CONTENT(100);

    private final int percent;

    Use(int percent) {
      this.percent = percent;
    }
  }

  /**
   * @param bytes of all sessions together
   */
  public MemoryBudget(long bytes) {
    if (bytes <= 0) throw new IllegalArgumentException("a budget of " + bytes + " bytes");
    limit = bytes;
  }

  /** The budget of a node whose configuration names none: half of the largest heap. */
  public static long defaultBytes() {
    return Runtime.getRuntime().maxMemory() / DEFAULT_DIVISOR;
  }

  /** The budget of a node: what is configured, but not more than the heap can give. */
  public static MemoryBudget within(long configured, MeterRegistry meters) {
    long most = Runtime.getRuntime().maxMemory() / PERCENT * MAX_HEAP_PERCENT;
    if (configured > most) {
      LOG.warn("event=memory_budget_reduced smtp_memory={} to={}", configured, most);
    }
    MemoryBudget budget = new MemoryBudget(Math.min(configured, most));
    Gauge.builder("smtp.memory.used", budget, b -> (double) b.used())
        .baseUnit("bytes")
        .description("Memory that SMTP sessions hold, estimated from above")
        .strongReference(true)
        .register(meters);
    Gauge.builder("smtp.memory.limit", budget, b -> (double) b.limit())
        .baseUnit("bytes")
        .description("Memory that SMTP sessions may hold together")
        .strongReference(true)
        .register(meters);
    return budget;
  }

  /** Charges these bytes if the budget has room for them in this use. */
  boolean tryReserve(long bytes, Use use) {
    long ceiling = limit / PERCENT * use.percent;
    if (used.addAndGet(bytes) <= ceiling) return true;
    release(bytes);
    logRefusal(use);
    return false;
  }

  void release(long bytes) {
    long left = used.addAndGet(-bytes);
    assert left >= 0 : "more memory was released than charged: " + left;
  }

  long used() {
    return used.get();
  }

  long limit() {
    return limit;
  }

  private void logRefusal(Use use) {
    long now = System.nanoTime();
    long last = loggedAt.get();
    if (now - last < LOG_INTERVAL || !loggedAt.compareAndSet(last, now)) return;
    LOG.warn("event=memory_budget_full use={} used={} limit={}", use, used.get(), limit);
  }
}
