package org.quorumail.smtp;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * Closes connections whose operation has passed its deadline, because a blocking write or TLS
 * handshake cannot time out by itself. One daemon thread for the process; it only looks at one
 * volatile field per open connection each half second.
 */
final class ConnectionWatchdog {
  private static final long PERIOD_MILLIS = 500;

  /** A read that times out by itself comes first, so that the peer can still be told why. */
  private static final long GRACE_NANOS = TimeUnit.SECONDS.toNanos(1);

  private static final Set<SmtpChannel> OPEN = ConcurrentHashMap.newKeySet();

  static {
    Thread.ofPlatform().daemon().name("smtp-watchdog").start(ConnectionWatchdog::run);
  }

  private ConnectionWatchdog() {}

  static void watch(SmtpChannel connection) {
    OPEN.add(connection);
  }

  static void unwatch(SmtpChannel connection) {
    OPEN.remove(connection);
  }

  private static void run() {
    while (true) {
      try {
        Thread.sleep(PERIOD_MILLIS);
      } catch (InterruptedException e) {
        return;
      }
      long now = System.nanoTime();
      for (SmtpChannel connection : OPEN) {
        if (connection.isOverdue(now, GRACE_NANOS)) connection.close();
      }
    }
  }
}
