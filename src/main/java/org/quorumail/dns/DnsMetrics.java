package org.quorumail.dns;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.quorumail.metrics.Buckets;
import org.xbill.DNS.Type;

/** The metrics of lookups. The series of the types that mail needs exist from the start. */
final class DnsMetrics {
  private static final List<Integer> TYPES =
      List.of(Type.A, Type.AAAA, Type.MX, Type.PTR, Type.TXT);

  private static final List<QueryResult> RESULTS =
      List.of(
          new QueryResult.Records(List.of(), 0),
          new QueryResult.NoData(0),
          new QueryResult.NxDomain(0),
          new QueryResult.Failure(""));

  private final MeterRegistry meters;

  DnsMetrics(MeterRegistry meters) {
    this.meters = meters;
    for (int type : TYPES) {
      RESULTS.forEach(result -> lookups(text(type), result));
      errors(text(type));
      duration(text(type));
    }
  }

  void record(int type, QueryResult result, long nanos) {
    String text = text(type);
    lookups(text, result).increment();
    if (result instanceof QueryResult.Failure) errors(text).increment();
    duration(text).record(nanos, TimeUnit.NANOSECONDS);
  }

  private Counter lookups(String type, QueryResult result) {
    return Counter.builder("dns.lookups")
        .description("Questions to the name servers, by type and result")
        .tag("type", type)
        .tag("result", result.label())
        .register(meters);
  }

  private Counter errors(String type) {
    return Counter.builder("dns.errors")
        .description("Questions without an answer of the name servers")
        .tag("type", type)
        .register(meters);
  }

  private Timer duration(String type) {
    return Timer.builder("dns.lookup.duration")
        .description("Time of a question to the name servers")
        .tag("type", type)
        .serviceLevelObjectives(Buckets.work())
        .register(meters);
  }

  private static String text(int type) {
    return Type.string(type).toLowerCase(Locale.ROOT);
  }
}
