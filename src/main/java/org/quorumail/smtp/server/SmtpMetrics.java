package org.quorumail.smtp.server;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;

/** The meters of one listener, {@code smtp_*}; the listeners of a node share them by name. */
final class SmtpMetrics {
  private final MeterRegistry meters;
  private final Counter connections;
  private final Counter rejectedConnections;
  private final Counter received;
  private final DistributionSummary messageSize;
  private final Timer sessionDuration;
  private final Timer commit;
  private final Map<Verb, Timer> commands = new EnumMap<>(Verb.class);

  SmtpMetrics(MeterRegistry meters, String listener, IntSupplier active) {
    this.meters = meters;
    connections =
        Counter.builder("smtp.connections").description("Connections accepted").register(meters);
    rejectedConnections =
        Counter.builder("smtp.connections.rejected")
            .description(
                "Connections refused by a limit, a filter, or because the node accepts no mail")
            .register(meters);
    received =
        Counter.builder("smtp.messages.received")
            .description("Messages accepted with 250")
            .register(meters);
    messageSize =
        DistributionSummary.builder("smtp.message.size")
            .baseUnit("bytes")
            .description("Size of accepted messages")
            .register(meters);
    sessionDuration =
        Timer.builder("smtp.session.duration")
            .description("Duration of a session, from connect to close")
            .register(meters);
    commit =
        Timer.builder("smtp.commit.duration")
            .description("Time from the final dot to the answer of the quorum")
            .register(meters);
    for (Verb verb : Verb.values()) commands.put(verb, commandTimer(meters, verb));
    Gauge.builder("smtp.connections.active", active, IntSupplier::getAsInt)
        .description("Open connections")
        .tag("listener", listener)
        .strongReference(true)
        .register(meters);
  }

  void connected() {
    connections.increment();
  }

  void connectionRejected() {
    rejectedConnections.increment();
  }

  void received(long size) {
    received.increment();
    messageSize.record((double) size);
  }

  void sessionEnded(long nanos) {
    sessionDuration.record(nanos, TimeUnit.NANOSECONDS);
  }

  void committed(long nanos) {
    commit.record(nanos, TimeUnit.NANOSECONDS);
  }

  void command(Verb verb, long nanos) {
    Objects.requireNonNull(commands.get(verb)).record(nanos, TimeUnit.NANOSECONDS);
  }

  /** Counts a reply of 400 and above; the codes are those of this package, a bounded set. */
  void error(int code) {
    meters.counter("smtp.errors", "code", Integer.toString(code)).increment();
  }

  /**
   * @param mechanism a configured one, {@code other} or {@code none}: a bounded set
   */
  void authentication(String mechanism, String result) {
    Counter.builder("smtp.auth.attempts")
        .description("Authentication exchanges by mechanism and result")
        .tag("mechanism", mechanism)
        .tag("result", result)
        .register(meters)
        .increment();
  }

  private static Timer commandTimer(MeterRegistry meters, Verb verb) {
    return Timer.builder("smtp.command.duration")
        .description("Time from the line of the command to its reply")
        .tag("command", verb.name())
        .register(meters);
  }
}
