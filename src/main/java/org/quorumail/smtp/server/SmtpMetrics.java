package org.quorumail.smtp.server;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import org.quorumail.metrics.Buckets;

/** The meters of one listener, {@code smtp_*}; the listeners of a node share them by name. */
final class SmtpMetrics {
  /** The codes of this package: their series exist before the first error, so rates count it. */
  private static final int[] ERROR_CODES = {
    421, 450, 451, 452, 454, 500, 501, 502, 503, 504, 530, 535, 538, 550, 552, 553, 554, 555
  };

  private static final List<String> AUTH_RESULTS =
      List.of(
          "success", "failure", "limited", "malformed", "cancelled", "not_offered", "unavailable");

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
            .serviceLevelObjectives(Buckets.sizes())
            .description("Size of accepted messages")
            .register(meters);
    sessionDuration =
        Timer.builder("smtp.session.duration")
            .description("Duration of a session, from connect to close")
            .serviceLevelObjectives(Buckets.work())
            .register(meters);
    commit =
        Timer.builder("smtp.commit.duration")
            .description("Time from the final dot to the answer of the quorum")
            .serviceLevelObjectives(Buckets.work())
            .register(meters);
    for (Verb verb : Verb.values()) commands.put(verb, commandTimer(meters, verb));
    for (int code : ERROR_CODES) errors(code);
    for (String result : AUTH_RESULTS) authentications("none", result);
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
    errors(code).increment();
  }

  private Counter errors(int code) {
    return Counter.builder("smtp.errors")
        .description("Replies of 400 and above, by code")
        .tag("code", Integer.toString(code))
        .register(meters);
  }

  /**
   * @param mechanism a configured one, {@code other} or {@code none}: a bounded set
   */
  void authentication(String mechanism, String result) {
    authentications(mechanism, result).increment();
  }

  private Counter authentications(String mechanism, String result) {
    return Counter.builder("smtp.auth.attempts")
        .description("Authentication exchanges by mechanism and result")
        .tag("mechanism", mechanism)
        .tag("result", result)
        .register(meters);
  }

  private static Timer commandTimer(MeterRegistry meters, Verb verb) {
    return Timer.builder("smtp.command.duration")
        .description("Time from the line of the command to its reply")
        .serviceLevelObjectives(Buckets.work())
        .tag("command", verb.name())
        .register(meters);
  }
}
