package org.quorumail.auth;

import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Passwords that were proved a short time ago, so that a client that logs in for each message is
 * not hashed slowly each time. Kept are only keyed hashes, with a key that lives in this process
 * alone; a changed password has other stored keys and is not found. Thread-safe.
 */
final class PasswordCache {
  private static final int MAX_ENTRIES = 10_000; // some 2 MB
  private static final Duration TIME_TO_LIVE = Duration.ofMinutes(10);

  private final byte[] key = new byte[ScramKeys.KEY_BYTES];
  private final Map<ByteBuffer, Long> until =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<ByteBuffer, Long> eldest) {
          return size() > MAX_ENTRIES;
        }
      };

  PasswordCache() {
    new SecureRandom().nextBytes(key);
  }

  /** Looks for a keyed hash; what the time of that may tell, nobody can compute. */
  synchronized boolean contains(ScramKeys stored, String password) {
    Long end = until.get(cacheKey(stored, password));
    return end != null && System.nanoTime() - end < 0;
  }

  synchronized void add(ScramKeys stored, String password) {
    until.putIfAbsent(cacheKey(stored, password), System.nanoTime() + TIME_TO_LIVE.toNanos());
    until.values().removeIf(end -> System.nanoTime() - end >= 0);
  }

  private ByteBuffer cacheKey(ScramKeys stored, String password) {
    byte[] bound = ScramKeys.hmac(key, stored.storedKey());
    return ByteBuffer.wrap(ScramKeys.hmac(bound, password));
  }
}
