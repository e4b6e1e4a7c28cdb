package org.quorumail.auth;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import org.quorumail.auth.AuthConfig.AuthLimits;

/**
 * Counts failed logins by client address and by name, whether the name exists or not, within a
 * window of time. Beyond a limit no password is looked at any more. An address from which a user
 * has logged in is not held to that user's limit, so that nobody can lock somebody else out for
 * good. Thread-safe; lives as long as the node. A cluster-wide count would take this class's place.
 */
public final class LoginFailures {
  /** Each of the tables; the oldest entry goes first. Some 20 MB in all when full. */
  private static final int MAX_ENTRIES = 100_000;

  private final LongSupplier nanoTime;
  private final Map<String, FailureCount> byAddress = bounded();
  private final Map<String, FailureCount> byName = bounded();
  private final Map<String, Boolean> provenClients = bounded(); // name and address
  private AuthLimits limits;

  private record FailureCount(int failures, long since) {}

  public LoginFailures(AuthLimits limits) {
    this(limits, System::nanoTime);
  }

  LoginFailures(AuthLimits limits, LongSupplier nanoTime) {
    this.limits = limits;
    this.nanoTime = nanoTime;
  }

  /** What counts from now on; what was counted stays. */
  public synchronized void limits(AuthLimits now) {
    limits = now;
  }

  /** Whether this client has failed too often to be heard. */
  public synchronized boolean isBlocked(InetAddress client) {
    return count(byAddress, addressBlock(client)) >= limits.failuresPerAddress();
  }

  /** Whether anybody has failed too often under this name, for this client. */
  public synchronized boolean isBlocked(InetAddress client, String name) {
    if (provenClients.containsKey(pair(client, name))) return false;
    return count(byName, name) >= limits.failuresPerUser();
  }

  public synchronized void recordFailure(InetAddress client, String name) {
    add(byAddress, addressBlock(client));
    if (!name.isEmpty()) add(byName, name);
  }

  public synchronized void recordSuccess(InetAddress client, String name) {
    provenClients.put(pair(client, name), true);
  }

  private int count(Map<String, FailureCount> table, String key) {
    FailureCount count = table.get(key);
    if (count == null) return 0;
    boolean over = nanoTime.getAsLong() - count.since() >= limits.window().toNanos();
    return over ? 0 : count.failures();
  }

  private void add(Map<String, FailureCount> table, String key) {
    FailureCount old = table.get(key);
    boolean goesOn = old != null && count(table, key) > 0;
    if (goesOn && old != null) table.put(key, new FailureCount(old.failures() + 1, old.since()));
    else table.put(key, new FailureCount(1, nanoTime.getAsLong()));
  }

  private static String pair(InetAddress client, String name) {
    return addressBlock(client) + " " + name;
  }

  /** Who has IPv6 has a /64 at least; counting single addresses would count nothing. */
  private static String addressBlock(InetAddress client) {
    byte[] address = client.getAddress();
    byte[] counted = client instanceof Inet6Address ? Arrays.copyOf(address, 8) : address;
    return HexFormat.of().formatHex(counted);
  }

  private static <V> Map<String, V> bounded() {
    return new LinkedHashMap<>(16, 0.75f, true) {
      private static final long serialVersionUID = 1L;

      @Override
      protected boolean removeEldestEntry(Map.Entry<String, V> eldest) {
        return size() > MAX_ENTRIES;
      }
    };
  }
}
