package org.quorumail.tools;

import java.time.Duration;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;

/** The numbers that one run hands out to its sessions, and when each was sent and delivered. */
final class LoadRun {
  private final int messages;
  private final OptionalDouble rate;
  private final long begin = System.nanoTime();
  private final long end;
  private final AtomicInteger nextNumber = new AtomicInteger();
  private final AtomicInteger delivered = new AtomicInteger();
  private final AtomicLongArray sent;
  private final AtomicIntegerArray deliveries;
  private final Latencies endToEnd = new Latencies();
  private int corrupt;
  private volatile long lastDelivery = begin;

  LoadRun(int messages, OptionalDouble rate, Duration limit, boolean withSink) {
    this.messages = messages;
    this.rate = rate;
    this.end = begin + limit.toNanos();
    this.sent = new AtomicLongArray(withSink ? messages : 0);
    this.deliveries = new AtomicIntegerArray(withSink ? messages : 0);
  }

  /** The next number, at the time when the rate allows it; empty when all are given out. */
  OptionalInt nextNumber() {
    if (System.nanoTime() >= end) return OptionalInt.empty();
    int number = nextNumber.getAndIncrement();
    if (number >= messages) return OptionalInt.empty();
    if (rate.isPresent()) {
      long due = begin + (long) (number / rate.getAsDouble() * 1e9);
      for (long wait = due - System.nanoTime(); wait > 0; wait = due - System.nanoTime()) {
        LockSupport.parkNanos(wait);
      }
    }
    return OptionalInt.of(number);
  }

  void recordSent(int number) {
    if (sent.length() > 0) sent.set(number, System.nanoTime());
  }

  /** Called by the sink. */
  void delivered(SmtpSink.ReceivedMessage delivery) {
    NumberedMessage.inspect(delivery.content(), delivery.length())
        .ifPresent(found -> recordDelivery(found, delivery.nanos()));
  }

  private synchronized void recordDelivery(NumberedMessage.Inspection found, long nanos) {
    int number = NumberedMessage.number(found.token());
    if (number >= deliveries.length() || sent.get(number) == 0) return; // of the warm-up
    if (!found.intact()) corrupt++;
    if (deliveries.incrementAndGet(number) > 1) return;
    endToEnd.record(nanos - sent.get(number));
    lastDelivery = nanos;
    delivered.incrementAndGet();
  }

  /** Waits until the sink has got so many different messages; false when time is over before. */
  boolean awaitDelivered(int wanted) {
    while (delivered.get() < wanted && System.nanoTime() < end) {
      LockSupport.parkNanos(2_000_000);
    }
    return delivered.get() >= wanted;
  }

  /** What the sink saw of this run. */
  record DeliverySummary(
      int messages, int duplicates, int corrupt, Duration took, Latencies latency) {}

  synchronized DeliverySummary delivered() {
    int total = 0;
    for (int i = 0; i < deliveries.length(); i++) total += deliveries.get(i);
    int distinct = delivered.get();
    Duration took = Duration.ofNanos(lastDelivery - begin);
    return new DeliverySummary(distinct, total - distinct, corrupt, took, endToEnd);
  }

  Duration elapsed() {
    return Duration.ofNanos(System.nanoTime() - begin);
  }
}
