package org.quorumail.dns;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.xbill.DNS.Name;
import org.xbill.DNS.Type;

/** Answers that are still good, least recently used out first. Thread-safe. */
final class AnswerCache {
  private final int capacity;
  private final long minTtlMillis;
  private final long maxTtlMillis;
  private final InstantSource time;
  private final Counter hits;
  private final Counter misses;
  private final Counter evictions;

  /** Guarded by this. */
  private final Map<Question, Kept> entries = new LinkedHashMap<>(64, 0.75f, true);

  private record Kept(QueryResult set, long untilMillis) {}

  AnswerCache(
      int capacity, Duration minTtl, Duration maxTtl, InstantSource time, MeterRegistry meters) {
    this.capacity = capacity;
    this.minTtlMillis = minTtl.toMillis();
    this.maxTtlMillis = maxTtl.toMillis();
    this.time = time;
    this.hits = meters.counter("dns.cache.hits");
    this.misses = meters.counter("dns.cache.misses");
    this.evictions = meters.counter("dns.cache.evictions");
    meters.gauge("dns.cache.entries", this, AnswerCache::size);
  }

  synchronized Optional<QueryResult> find(Question question) {
    Kept kept = entries.get(question);
    if (kept != null && isGood(kept, time.millis())) {
      hits.increment();
      return Optional.of(kept.set);
    }
    misses.increment();
    return Optional.empty();
  }

  /** Never for longer than any answer may be kept: the clock may have been ahead and put right. */
  private boolean isGood(Kept kept, long now) {
    return now < kept.untilMillis && kept.untilMillis - now <= Math.max(minTtlMillis, maxTtlMillis);
  }

  synchronized void keep(Question question, QueryResult set) {
    if (capacity == 0) return;
    long ttl = Math.clamp(set.ttl() * 1000, minTtlMillis, Math.max(minTtlMillis, maxTtlMillis));
    if (ttl == 0) return;
    entries.put(question, new Kept(set, time.millis() + ttl));
    if (entries.size() > capacity) {
      entries.remove(entries.keySet().iterator().next());
      evictions.increment();
    }
  }

  synchronized int clear() {
    int size = entries.size();
    entries.clear();
    return size;
  }

  /** Forgets what is known about a name; the number of answers that this was. */
  synchronized int forget(Name name) {
    int before = entries.size();
    entries.keySet().removeIf(question -> question.name().equals(name));
    return before - entries.size();
  }

  /** What is still good, at most so many, the least recently used first. */
  synchronized List<CachedAnswer> list(int limit) {
    long now = time.millis();
    return entries.entrySet().stream()
        .filter(e -> isGood(e.getValue(), now))
        .limit(limit)
        .map(e -> cached(e.getKey(), e.getValue().set, e.getValue().untilMillis - now))
        .toList();
  }

  private static CachedAnswer cached(Question question, QueryResult set, long leftMillis) {
    List<String> values =
        switch (set) {
          case QueryResult.Records found ->
              found.records().stream().map(r -> r.rdataToString()).toList();
          case QueryResult.NoData none -> List.of();
          case QueryResult.NxDomain none -> List.of();
          case QueryResult.Failure failure -> List.of();
        };
    return new CachedAnswer(
        question.name().toString(true),
        Type.string(question.type()),
        set.label(),
        values,
        Duration.ofMillis(leftMillis));
  }

  synchronized int size() {
    return entries.size();
  }
}
