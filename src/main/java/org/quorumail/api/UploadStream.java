package org.quorumail.api;

import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.quorumail.api.HttpConnection.Phase;

/**
 * The body of a request while it arrives. Each read has the deadline of a request, and all of them
 * together have one of their own; between two reads the connection is at work and is not closed.
 * The first read lets a client send that waits for it (RFC 9110 §10.1.1).
 */
final class UploadStream extends InputStream {
  /** The time for a whole body: 25 MB at 350 kbit/s. */
  private static final Duration TIMEOUT = Duration.ofMinutes(10);

  private final ServerRequest request;
  private final HttpConnection connection = HttpConnection.CURRENT.get();
  private long deadline = System.nanoTime() + TIMEOUT.toNanos();
  private @Nullable InputStream in;
  private boolean ended;
  private boolean failed;

  UploadStream(ServerRequest request) {
    this.request = request;
    ended = !request.content().hasEntity();
  }

  /** Whether the request was read to its end, so that another one may follow. */
  boolean ended() {
    return ended;
  }

  /** Whether the body could not be read. */
  boolean failed() {
    return failed;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    if (ended) return -1;
    if (failed || System.nanoTime() - deadline > 0 || !connection.enter(Phase.UPLOADING)) {
      throw failure(null);
    }
    int n;
    try {
      if (in == null) in = request.content().inputStream();
      n = in.read(bytes, offset, length);
    } catch (IOException | RuntimeException e) { // Helidon's are of many kinds
      throw failure(e);
    }
    ended = n < 0;
    if (!connection.enter(Phase.WORKING)) throw failure(null);
    return n;
  }

  /**
   * Reads and throws away the rest, at most so many octets, so that the client sees the answer and
   * no reset. Nothing is read of a client that still waits to send.
   */
  void discard(int most, Duration timeout) {
    boolean waits = in == null && request.headers().contains(HeaderNames.EXPECT);
    if (waits) return;
    deadline = Math.min(deadline, System.nanoTime() + timeout.toNanos());
    byte[] piece = new byte[8 << 10];
    try {
      int left = most;
      while (left > 0 && !ended) left -= Math.max(0, read(piece, 0, piece.length));
    } catch (IOException e) {
      failed = true;
    }
  }

  private IOException failure(@Nullable Exception cause) {
    failed = true;
    return new IOException("the body could not be read", cause);
  }
}
