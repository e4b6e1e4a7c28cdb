package org.quorumail;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.Socket;
import java.time.Duration;

/** A client of a cluster port that proves nothing and sends an octet now and then. */
public final class SlowStranger {
  private SlowStranger() {}

  /** Sends an octet twice a second until the other end closes the connection. */
  public static void awaitClosed(Socket socket, Duration atMost) {
    await().pollInterval(Duration.ofMillis(500)).atMost(atMost).until(() -> !sendOctet(socket));
  }

  /** Sends one octet; false when the other end has closed the connection. */
  public static boolean sendOctet(Socket socket) {
    try {
      socket.getOutputStream().write(1);
      return true;
    } catch (IOException e) {
      return false;
    }
  }
}
