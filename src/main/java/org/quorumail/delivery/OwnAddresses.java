package org.quorumail.delivery;

import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.time.Duration;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The test whether an address belongs to this machine. Java turns IPv4-mapped IPv6 addresses into
 * IPv4 by itself. Thread-safe.
 */
final class OwnAddresses implements Predicate<InetAddress> {
  private static final Logger LOG = LoggerFactory.getLogger(OwnAddresses.class);

  /** Interfaces come up and go down while the node runs. */
  private static final long REFRESH_AFTER_NANOS = Duration.ofMinutes(1).toNanos();

  private record AddressList(Set<InetAddress> addresses, long at) {}

  private volatile AddressList known = read();

  @Override
  public boolean test(InetAddress address) {
    if (address.isLoopbackAddress() || address.isAnyLocalAddress()) return true;
    if (System.nanoTime() - known.at > REFRESH_AFTER_NANOS) known = read();
    return known.addresses.contains(address);
  }

  private static AddressList read() {
    try {
      return new AddressList(
          NetworkInterface.networkInterfaces()
              .flatMap(NetworkInterface::inetAddresses)
              .collect(Collectors.toUnmodifiableSet()),
          System.nanoTime());
    } catch (SocketException e) {
      LOG.warn("event=own_addresses_unknown reason=\"{}\"", e.getMessage());
      return new AddressList(Set.of(), System.nanoTime());
    }
  }
}
