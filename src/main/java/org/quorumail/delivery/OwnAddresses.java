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

/** Whether an address belongs to this machine. IPv4 in IPv6 clothes is IPv4 to Java already. */
final class OwnAddresses implements Predicate<InetAddress> {
  private static final Logger log = LoggerFactory.getLogger(OwnAddresses.class);
  private static final long GOOD_FOR = Duration.ofMinutes(1).toNanos(); // addresses come and go

  private record Known(Set<InetAddress> addresses, long at) {}

  private volatile Known known = read();

  @Override
  public boolean test(InetAddress address) {
    if (address.isLoopbackAddress() || address.isAnyLocalAddress()) return true;
    if (System.nanoTime() - known.at > GOOD_FOR) known = read();
    return known.addresses.contains(address);
  }

  private static Known read() {
    try {
      return new Known(
          NetworkInterface.networkInterfaces()
              .flatMap(NetworkInterface::inetAddresses)
              .collect(Collectors.toUnmodifiableSet()),
          System.nanoTime());
    } catch (SocketException e) {
      log.warn("event=own_addresses_unknown reason=\"{}\"", e.getMessage());
      return new Known(Set.of(), System.nanoTime());
    }
  }
}
