package org.quorumail.auth;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.net.InetAddress;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.quorumail.auth.AuthConfig.AuthLimits;
import org.quorumail.config.Network;

/**
 * The failed logins of a window of time, counted by client address and by name, whether the name
 * exists or not. Above a limit no password is checked any more. The limit of a name does not hold
 * for addresses from which its user has logged in: no attacker can lock a user out for good.
 * Thread-safe; lives as long as the node.
 */
public final class LoginFailures {
  /** Of each table; some 20 MB in all when full. */
  private static final int MAX_ENTRIES = 100_000;

  private final LongSupplier nanoTime;
  private final Cache<String, FailureCount> byAddress = bounded();
  private final Cache<String, FailureCount> byName = bounded();
  private final Cache<String, Boolean> provenClients = bounded(); // address and name
  private volatile AuthLimits limits;

  /** The failures of a window that began at {@code sinceNanos}. */
  private record FailureCount(int failures, long sinceNanos) {}

  public LoginFailures(AuthLimits limits) {
    this(limits, System::nanoTime);
  }

  LoginFailures(AuthLimits limits, LongSupplier nanoTime) {
    this.limits = limits;
    this.nanoTime = nanoTime;
  }

  /** Replaces the limits; failures that were counted before stay counted. */
  public void updateLimits(AuthLimits updated) {
    limits = updated;
  }

  /** Returns whether this client has too many failures. */
  public boolean isBlocked(InetAddress client) {
    return count(client) >= limits.failuresPerAddress();
  }

  /** Returns whether this name has too many failures, seen from this client. */
  public boolean isBlocked(InetAddress client, String name) {
    return !isProven(client, name) && count(name) >= limits.failuresPerUser();
  }

  /** The failures of this client within the window. */
  int count(InetAddress client) {
    return failures(byAddress.getIfPresent(addressBlock(client)));
  }

  /** The failures under this name within the window. */
  int count(String name) {
    return failures(byName.getIfPresent(name));
  }

  /** Returns whether the user of this name has logged in from this client. */
  boolean isProven(InetAddress client, String name) {
    return provenClients.getIfPresent(pair(client, name)) != null;
  }

  /** Counts a failure. An empty name counts for the address alone. */
  public void recordFailure(InetAddress client, String name) {
    increment(byAddress, addressBlock(client));
    if (!name.isEmpty()) increment(byName, name);
  }

  /** Remembers that the user of this name has logged in from this address. */
  public void recordSuccess(InetAddress client, String name) {
    provenClients.put(pair(client, name), true);
  }

  private int failures(@Nullable FailureCount count) {
    if (count == null) return 0;
    boolean windowOver = nanoTime.getAsLong() - count.sinceNanos() >= limits.window().toNanos();
    return windowOver ? 0 : count.failures();
  }

  private void increment(Cache<String, FailureCount> table, String key) {
    table
        .asMap()
        .compute(
            key,
            (k, old) ->
                old == null || failures(old) == 0
                    ? new FailureCount(1, nanoTime.getAsLong())
                    : new FailureCount(old.failures() + 1, old.sinceNanos()));
  }

  private static String pair(InetAddress client, String name) {
    return addressBlock(client) + " " + name;
  }

  private static String addressBlock(InetAddress client) {
    return Network.ofClient(client).toString();
  }

  private static <V> Cache<String, V> bounded() {
    return Caffeine.newBuilder().maximumSize(MAX_ENTRIES).build();
  }
}
