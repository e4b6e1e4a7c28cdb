package org.quorumail.dns;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Expiry;
import com.github.benmanes.caffeine.cache.RemovalCause;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.Name;
import org.xbill.DNS.Type;

/** The answers whose TTL has not passed, bounded in number (Caffeine). Thread-safe. */
final class AnswerCache {
  /**
   * A name that is missing by mistake is asked for again; RFC 2308 §5 advises one to three hours.
   */
  private static final Duration MAX_NEGATIVE_TTL = Duration.ofHours(1);

  private final int capacity;
  private final long minTtlMillis;
  private final long maxTtlMillis;
  private final InstantSource time;
  private final Counter hits;
  private final Counter misses;
  private final Counter evictions;
  private final Cache<Question, Entry> entries;

  private record Entry(QueryResult result, Duration ttl, long expiryMillis) {}

  AnswerCache(
      int capacity, Duration minTtl, Duration maxTtl, InstantSource time, MeterRegistry meters) {
    this.capacity = capacity;
    this.minTtlMillis = minTtl.toMillis();
    this.maxTtlMillis = Math.max(minTtlMillis, maxTtl.toMillis());
    this.time = time;
    this.hits = counter(meters, "dns.cache.hits", "Questions answered from the cache");
    this.misses = counter(meters, "dns.cache.misses", "Questions that the cache did not answer");
    this.evictions = counter(meters, "dns.cache.evictions", "Answers evicted for want of room");
    this.entries =
        Caffeine.newBuilder()
            .maximumSize(capacity)
            .ticker(() -> Duration.ofMillis(time.millis()).toNanos())
            .expireAfter(Expiry.writing((Question question, Entry entry) -> entry.ttl))
            .evictionListener((question, entry, cause) -> countEviction(cause))
            .executor(Runnable::run)
            .build();
    Gauge.builder("dns.cache.entries", this, AnswerCache::size)
        .description("Answers in the cache")
        .register(meters);
  }

  private static Counter counter(MeterRegistry meters, String name, String description) {
    return Counter.builder(name).description(description).register(meters);
  }

  private void countEviction(RemovalCause cause) {
    if (cause == RemovalCause.SIZE) evictions.increment();
  }

  Optional<QueryResult> find(Question question) {
    Entry entry = entries.getIfPresent(question);
    if (entry != null && isValid(entry, time.millis())) {
      hits.increment();
      return Optional.of(entry.result);
    }
    misses.increment();
    return Optional.empty();
  }

  /** Never longer than any TTL: a clock that was ahead may have been put right meanwhile. */
  private boolean isValid(Entry entry, long now) {
    return now < entry.expiryMillis && entry.expiryMillis - now <= maxTtlMillis;
  }

  void keep(Question question, QueryResult result) {
    if (capacity == 0) return;
    long ttl = ttlMillis(result);
    if (ttl == 0) return;
    entries.put(question, new Entry(result, Duration.ofMillis(ttl), time.millis() + ttl));
  }

  private long ttlMillis(QueryResult result) {
    long ttl = Math.min(result.ttl(), Long.MAX_VALUE / 1000) * 1000;
    return switch (result) {
      case QueryResult.Records found -> Math.clamp(ttl, minTtlMillis, maxTtlMillis);
      case QueryResult.NoData none -> negativeTtlMillis(ttl);
      case QueryResult.NxDomain none -> negativeTtlMillis(ttl);
      case QueryResult.Failure failure -> Math.min(ttl, maxTtlMillis); // it may end at any time
    };
  }

  private long negativeTtlMillis(long ttl) {
    long longest = Math.max(minTtlMillis, Math.min(maxTtlMillis, MAX_NEGATIVE_TTL.toMillis()));
    return Math.clamp(ttl, minTtlMillis, longest);
  }

  /** The answer about a question, even an expired one, without being counted. */
  @Nullable QueryResult peek(Question question) {
    Entry entry = entries.policy().getIfPresentQuietly(question);
    return entry == null ? null : entry.result;
  }

  /** Forgets all answers; returns their number. */
  int clear() {
    int size = size();
    entries.invalidateAll();
    return size;
  }

  /** Forgets the answers about a name; returns their number. */
  int forget(Name name) {
    int forgotten = 0;
    for (int type : new int[] {Type.MX, Type.A, Type.AAAA, Type.TXT, Type.PTR}) {
      if (entries.asMap().remove(new Question(name, type)) != null) forgotten++;
    }
    return forgotten;
  }

  /** The valid answers, at most so many, the least used first. */
  List<CachedAnswer> list(int limit) {
    long now = time.millis();
    return entries
        .policy()
        .eviction()
        .orElseThrow()
        .coldest(
            all ->
                all.filter(e -> isValid(e.getValue(), now))
                    .limit(limit)
                    .map(e -> cached(e.getKey(), e.getValue(), now))
                    .toList());
  }

  private static CachedAnswer cached(Question question, Entry entry, long now) {
    List<String> values =
        switch (entry.result) {
          case QueryResult.Records found ->
              found.records().stream().map(r -> r.rdataToString()).toList();
          case QueryResult.NoData none -> List.of();
          case QueryResult.NxDomain none -> List.of();
          case QueryResult.Failure failure -> List.of();
        };
    return new CachedAnswer(
        question.name().toString(true),
        Type.string(question.type()),
        entry.result.label(),
        values,
        Duration.ofMillis(entry.expiryMillis - now));
  }

  private int size() {
    entries.cleanUp();
    return entries.asMap().size();
  }
}
