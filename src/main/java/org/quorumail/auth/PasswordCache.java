package org.quorumail.auth;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Ticker;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.time.Duration;

/**
 * Passwords that were proved a short time ago, so that a client that logs in for each message costs
 * one slow hash and not many. The cache keeps keyed hashes only, with a key that lives in this
 * process alone. A changed password has other stored keys, so the cache no longer finds it.
 * Thread-safe.
 */
final class PasswordCache {
  private static final int MAX_ENTRIES = 10_000; // some 2 MB
  static final Duration TIME_TO_LIVE = Duration.ofMinutes(10);

  private final byte[] key = new byte[ScramKeys.KEY_BYTES];
  private final Cache<ByteBuffer, Boolean> proved;

  PasswordCache() {
    this(Ticker.systemTicker());
  }

  PasswordCache(Ticker ticker) {
    new SecureRandom().nextBytes(key);
    proved =
        Caffeine.newBuilder()
            .maximumSize(MAX_ENTRIES)
            .expireAfterWrite(TIME_TO_LIVE)
            .ticker(ticker)
            .build();
  }

  /** Looks up a keyed hash: its duration depends on nothing that a client could compute. */
  boolean contains(ScramKeys stored, String password) {
    return proved.getIfPresent(cacheKey(stored, password)) != null;
  }

  /** Keeps a proof for its time to live, counted from the first one. */
  void add(ScramKeys stored, String password) {
    proved.asMap().putIfAbsent(cacheKey(stored, password), true);
  }

  private ByteBuffer cacheKey(ScramKeys stored, String password) {
    byte[] bound = ScramKeys.hmac(key, stored.storedKey());
    return ByteBuffer.wrap(ScramKeys.hmac(bound, password));
  }
}
