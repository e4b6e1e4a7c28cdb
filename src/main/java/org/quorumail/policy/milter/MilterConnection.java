package org.quorumail.policy.milter;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.quorumail.policy.PolicyConfig.MilterSocket;

/**
 * A connection to a milter, over TCP or a Unix socket, that carries packets. Each operation has a
 * total time. When it is over, a timer closes the channel, since a Unix socket has no timeouts.
 * Used by one thread.
 */
final class MilterConnection implements Closeable {
  /** Initial size of the buffers; {@link #out} grows while a milter does not reply. */
  private static final int BUFFER_SIZE = 16 * 1024;

  private static final ScheduledThreadPoolExecutor TIMER = timer();

  private final SocketChannel channel;
  private final ByteBuffer in = ByteBuffer.allocate(BUFFER_SIZE).flip();
  private ByteBuffer out = ByteBuffer.allocate(BUFFER_SIZE);
  private volatile boolean timedOut;

  private MilterConnection(SocketChannel channel) {
    this.channel = channel;
  }

  /** Connects within a time. */
  static MilterConnection open(MilterSocket socket, Duration timeout) throws MilterException {
    try {
      SocketChannel channel =
          socket instanceof MilterSocket.Unix
              ? SocketChannel.open(StandardProtocolFamily.UNIX)
              : SocketChannel.open();
      MilterConnection connection = new MilterConnection(channel);
      connection.runWithTimeout(timeout, "the connection", () -> connection.connect(socket));
      return connection;
    } catch (MilterException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      throw new MilterException("cannot connect: " + reason(e), e);
    }
  }

  /** Queues a packet for the next {@link #flush} or {@link #receive}. */
  void send(byte command, byte[] data) throws IOException {
    send(command, data, 0, data.length);
  }

  void send(byte command, byte[] data, int offset, int length) throws IOException {
    if (length > MilterProtocol.MAX_DATA) throw new MilterException("a packet would be too long");
    if (out.remaining() < 5 + length) {
      ByteBuffer larger = ByteBuffer.allocate(out.position() + 5 + length + BUFFER_SIZE);
      out = larger.put(out.flip());
    }
    out.putInt(length + 1).put(command).put(data, offset, length);
  }

  /** The octets that wait for {@link #flush}. */
  int unsent() {
    return out.position();
  }

  void flush(Duration timeout) throws IOException {
    if (out.position() == 0) return;
    runWithTimeout(timeout, "our packets", this::write);
  }

  /** Sends the queued packets and reads one packet. */
  MilterPacket receive(Duration timeout) throws IOException {
    MilterPacket[] packet = new MilterPacket[1];
    runWithTimeout(
        timeout,
        "a reply",
        () -> {
          write();
          packet[0] = read();
        });
    return packet[0];
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      // the channel is unusable, as intended
    }
  }

  private void connect(MilterSocket socket) throws IOException {
    switch (socket) {
      case MilterSocket.Inet inet -> {
        var address = inet.resolved();
        if (address.isUnresolved()) {
          throw new MilterException("cannot connect: the host has no address");
        }
        channel.connect(address);
      }
      case MilterSocket.Unix unix -> channel.connect(UnixDomainSocketAddress.of(unix.path()));
    }
  }

  private void write() throws IOException {
    out.flip();
    while (out.hasRemaining()) channel.write(out);
    out = out.capacity() > BUFFER_SIZE ? ByteBuffer.allocate(BUFFER_SIZE) : out.clear();
  }

  private MilterPacket read() throws IOException {
    long length = Integer.toUnsignedLong(readFully(4).getInt());
    if (length < 1 || length > MilterProtocol.MAX_DATA + 1) {
      throw new MilterException("its packet has " + length + " octets");
    }
    ByteBuffer packet = readFully((int) length);
    return new MilterPacket(packet.get(), packet);
  }

  private ByteBuffer readFully(int length) throws IOException {
    ByteBuffer wanted = ByteBuffer.allocate(length);
    while (wanted.hasRemaining()) {
      if (!in.hasRemaining()) {
        in.clear();
        int n = channel.read(in);
        in.flip();
        if (n < 0) throw new EOFException("it closed the connection");
      }
      int n = Math.min(in.remaining(), wanted.remaining());
      wanted.put(in.slice(in.position(), n));
      in.position(in.position() + n);
    }
    return wanted.flip();
  }

  private interface Operation {
    void run() throws IOException;
  }

  private void runWithTimeout(Duration timeout, String what, Operation operation)
      throws IOException {
    ScheduledFuture<?> end =
        TIMER.schedule(this::expire, timeout.toMillis(), TimeUnit.MILLISECONDS);
    try {
      operation.run();
    } catch (MilterException e) {
      close();
      throw e;
    } catch (IOException e) {
      close();
      if (timedOut) {
        throw new MilterException(what + " took more than " + timeout.toMillis() + " ms", e);
      }
      throw e instanceof EOFException
          ? new MilterException("it closed the connection", e)
          : new MilterException("the connection failed: " + reason(e), e);
    } finally {
      end.cancel(false);
    }
  }

  private void expire() {
    timedOut = true;
    close();
  }

  private static String reason(Exception e) {
    String message = e.getMessage();
    return message == null ? e.getClass().getSimpleName() : message;
  }

  private static ScheduledThreadPoolExecutor timer() {
    ScheduledThreadPoolExecutor timer =
        new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().daemon().name("milter-timer").factory());
    timer.setRemoveOnCancelPolicy(true);
    return timer;
  }

  /** A text with the zero octet that ends it. */
  static byte[] zeroTerminated(String text) {
    return (text.replace("\0", "") + "\0").getBytes(StandardCharsets.ISO_8859_1);
  }
}
