package org.quorumail.smtp;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * The thread that closes connections whose operation has passed its deadline, because a blocking
 * write or TLS handshake cannot time out by itself. There is one daemon thread per process; each
 * half second it reads one volatile field of each open connection.
 */
final class ConnectionWatchdog {
  private static final long PERIOD_MILLIS = 500;

  /**
   * A read times out by itself before that, so that the peer still gets a reply with the reason.
   */
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
