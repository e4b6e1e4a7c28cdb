package org.quorumail.tools;

import java.time.Duration;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.AtomicHistogram;
import org.jspecify.annotations.Nullable;

/**
 * One run of the load generator: hands out message numbers to its clients and records what becomes
 * of each message. Clients and the sink call it from their own threads.
 */
final class LoadRun {
  /** Longer latencies count as one hour. */
  private static final long MAX_LATENCY_NANOS = Duration.ofHours(1).toNanos();

  /** Percentiles are exact to one in a thousand. */
  private static final int SIGNIFICANT_DIGITS = 3;

  private static final long DELIVERY_POLL_NANOS = 2_000_000;

  private final Workload workload;
  private final long begin = System.nanoTime();
  private final long end;
  private final AtomicInteger nextNumber = new AtomicInteger();
  private final AtomicInteger accepted = new AtomicInteger();
  private final Map<String, Integer> errors = new ConcurrentHashMap<>();
  private final AtomicHistogram dotTo250 = newHistogram();
  private final AtomicHistogram transaction = newHistogram();
  private final @Nullable SinkRecord sink;

  /**
   * @param limit ends the run, also when messages are left
   * @param withSink whether a sink reports deliveries
   */
  LoadRun(Workload workload, Duration limit, boolean withSink) {
    this.workload = workload;
    this.end = begin + limit.toNanos();
    this.sink = withSink ? new SinkRecord(workload.messages()) : null;
  }

  private static AtomicHistogram newHistogram() {
    return new AtomicHistogram(MAX_LATENCY_NANOS, SIGNIFICANT_DIGITS);
  }

  /** The next number, at the time when the rate allows it; empty when all are handed out. */
  OptionalInt nextNumber() {
    if (System.nanoTime() >= end) return OptionalInt.empty();
    int number = nextNumber.getAndIncrement();
    if (number >= workload.messages()) return OptionalInt.empty();
    long due = begin + workload.dueNanos(number);
    for (long wait = due - System.nanoTime(); wait > 0; wait = due - System.nanoTime()) {
      LockSupport.parkNanos(wait);
    }
    return OptionalInt.of(number);
  }

  void recordSent(int number) {
    if (sink != null) sink.sentAt.set(number, System.nanoTime());
  }

  /** Records the time from the final dot to its 250. */
  void recordReply(long nanos) {
    record(dotTo250, nanos);
  }

  /** Records an accepted message and the time of its transaction. */
  void recordAccepted(long nanos) {
    record(transaction, nanos);
    accepted.incrementAndGet();
  }

  void recordError(String error) {
    errors.merge(error, 1, Integer::sum);
  }

  private static void record(AtomicHistogram histogram, long nanos) {
    histogram.recordValue(Math.clamp(nanos, 0, MAX_LATENCY_NANOS));
  }

  /** Records a message that the sink has received; messages of an earlier run do not count. */
  void recordDelivery(SmtpSink.ReceivedMessage message) {
    if (sink == null) return;
    NumberedMessage.inspect(message.content(), message.length())
        .ifPresent(found -> sink.record(found, message.nanos()));
  }

  /** The report after all clients have ended; with a sink, waits for the accepted messages. */
  LoadReport report() {
    Duration duration = Duration.ofNanos(System.nanoTime() - begin);
    return new LoadReport(
        workload.messages(),
        accepted.get(),
        duration,
        new TreeMap<>(errors),
        LoadReport.Quantiles.of(dotTo250),
        LoadReport.Quantiles.of(transaction),
        sink == null ? null : sink.await(accepted.get()));
  }

  /** The deliveries that the sink has reported. */
  private final class SinkRecord {
    private final AtomicLongArray sentAt;
    private final AtomicIntegerArray deliveries;
    private final AtomicInteger delivered = new AtomicInteger();
    private final AtomicHistogram latency = newHistogram();
    private int corrupt;
    private long lastDelivery = begin;

    SinkRecord(int messages) {
      this.sentAt = new AtomicLongArray(messages);
      this.deliveries = new AtomicIntegerArray(messages);
    }

    private synchronized void record(NumberedMessage.Inspection found, long nanos) {
      int number = NumberedMessage.number(found.token());
      if (number >= deliveries.length() || sentAt.get(number) == 0) return; // of the warm-up
      if (!found.intact()) corrupt++;
      if (deliveries.incrementAndGet(number) > 1) return;
      LoadRun.record(latency, nanos - sentAt.get(number));
      lastDelivery = nanos;
      delivered.incrementAndGet();
    }

    private LoadReport.SinkResult await(int wanted) {
      while (delivered.get() < wanted && System.nanoTime() < end) {
        LockSupport.parkNanos(DELIVERY_POLL_NANOS);
      }
      return result();
    }

    private synchronized LoadReport.SinkResult result() {
      int total = 0;
      for (int i = 0; i < deliveries.length(); i++) total += deliveries.get(i);
      int distinct = delivered.get();
      return new LoadReport.SinkResult(
          distinct,
          total - distinct,
          corrupt,
          Duration.ofNanos(lastDelivery - begin),
          LoadReport.Quantiles.of(latency));
    }
  }
}
