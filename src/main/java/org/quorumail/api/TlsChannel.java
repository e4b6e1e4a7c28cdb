package org.quorumail.api;

import io.helidon.common.buffers.BufferData;
import io.helidon.common.buffers.DataReader;
import io.helidon.common.buffers.DataWriter;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.quorumail.tls.ClientHello;
import org.quorumail.tls.ServerTls;

/**
 * The TLS of one HTTP connection, between the socket of Helidon and its HTTP/1.1. It is not
 * Helidon's own, so that the handshake counts for the limits and the deadline of the connection,
 * and each connection takes the certificates of its time. Used by the thread of the connection.
 */
final class TlsChannel implements DataWriter {
  /** The protocol of ALPN (RFC 7301), the only one that the server speaks. */
  private static final String PROTOCOL = "http/1.1";

  private static final byte HANDSHAKE_RECORD = 22;

  private final DataReader socketReader;
  private final DataWriter socketWriter;
  private final SSLEngine engine;

  /** Octets of the client that are not decrypted yet, less than two records. */
  private ByteBuffer received;

  private TlsChannel(DataReader reader, DataWriter writer, SSLEngine engine, byte[] received) {
    this.socketReader = reader;
    this.socketWriter = writer;
    this.engine = engine;
    this.received = ByteBuffer.wrap(received);
  }

  /** Reports whether the first octet begins a handshake; waits for it. */
  static boolean isHandshake(DataReader reader) {
    return reader.lookup() == HANDSHAKE_RECORD;
  }

  /**
   * Makes the handshake as the server.
   *
   * @throws IOException when it fails; the client has received the reason
   */
  static TlsChannel accept(ServerTls tls, DataReader reader, DataWriter writer) throws IOException {
    ClientHello hello = ClientHello.read(new ReaderInput(reader));
    SSLEngine engine = tls.engine(hello, PROTOCOL);
    TlsChannel channel = new TlsChannel(reader, writer, engine, hello.octets());
    try {
      channel.handshake();
      return channel;
    } catch (SSLException e) {
      channel.sendAlert(e);
      throw e;
    }
  }

  private void handshake() throws SSLException {
    engine.beginHandshake();
    while (true) {
      switch (engine.getHandshakeStatus()) {
        case NEED_TASK -> runTasks();
        case NEED_WRAP -> answer();
        case NEED_UNWRAP, NEED_UNWRAP_AGAIN -> {
          byte[] octets = decryptRecord();
          if (octets == null) throw new SSLException("the client ended the handshake");
          if (octets.length > 0) throw new SSLException("data inside the handshake");
        }
        case FINISHED, NOT_HANDSHAKING -> {
          return;
        }
      }
    }
  }

  /** Sends the alert that names the fault, if the client still takes it. */
  private void sendAlert(SSLException fault) {
    try {
      answer();
    } catch (SSLException | UncheckedIOException e) {
      fault.addSuppressed(e);
    }
  }

  /** Reads the next decrypted octets, at least one; null at the end. */
  byte @Nullable [] read() {
    try {
      while (true) {
        byte[] octets = decryptRecord();
        if (octets == null || octets.length > 0) return octets;
      }
    } catch (SSLException e) {
      throw closed(e);
    }
  }

  /** Decrypts one record, which is empty when it is not data; null at the end. */
  private byte @Nullable [] decryptRecord() throws SSLException {
    ByteBuffer plain = ByteBuffer.allocate(engine.getSession().getApplicationBufferSize());
    while (true) {
      SSLEngineResult result = engine.unwrap(received, plain);
      switch (result.getStatus()) {
        case BUFFER_UNDERFLOW -> {
          if (!receive()) return null;
        }
        case CLOSED -> {
          return null;
        }
        case BUFFER_OVERFLOW -> throw new SSLException("a record is too long");
        case OK -> {
          runTasks();
          answer();
          return Arrays.copyOf(plain.array(), plain.position());
        }
      }
    }
  }

  /** Sends the messages that are due: of the handshake, to a key update, at the close. */
  private void answer() throws SSLException {
    while (engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP) {
      if (!encrypt(ByteBuffer.allocate(0))) return;
    }
  }

  /** Adds the next octets of the socket to those received; false at the end. */
  private boolean receive() {
    try {
      socketReader.ensureAvailable();
    } catch (DataReader.InsufficientDataAvailableException e) {
      return false;
    }
    byte[] more = socketReader.readBytes(socketReader.available());
    ByteBuffer joined = ByteBuffer.allocate(received.remaining() + more.length);
    received = joined.put(received).put(more).flip();
    return true;
  }

  private void runTasks() {
    for (Runnable task = engine.getDelegatedTask();
        task != null;
        task = engine.getDelegatedTask()) {
      task.run();
    }
  }

  /** Encrypts the octets and sends them; false when the connection takes no more. */
  private boolean encrypt(ByteBuffer plain) throws SSLException {
    do {
      ByteBuffer sealed = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
      SSLEngineResult result = engine.wrap(plain, sealed);
      if (sealed.position() > 0) {
        socketWriter.writeNow(BufferData.create(sealed.array(), 0, sealed.position()));
      }
      if (result.getStatus() != SSLEngineResult.Status.OK) return false;
      runTasks();
    } while (plain.hasRemaining());
    return true;
  }

  @Override
  public void write(BufferData... buffers) {
    for (BufferData buffer : buffers) write(buffer);
  }

  @Override
  public void write(BufferData buffer) {
    try {
      if (!encrypt(ByteBuffer.wrap(buffer.readBytes()))) {
        throw new UncheckedIOException(new SocketException("TLS is closed"));
      }
    } catch (SSLException e) {
      throw closed(e);
    }
  }

  @Override
  public void writeNow(BufferData... buffers) {
    write(buffers);
  }

  @Override
  public void writeNow(BufferData buffer) {
    write(buffer);
  }

  @Override
  public void flush() {
    socketWriter.flush();
  }

  /** Sends close_notify, so that the client knows the end from a cut. */
  @Override
  public void close() {
    try {
      engine.closeOutbound();
      answer();
    } catch (SSLException e) {
      throw closed(e);
    }
  }

  /** Helidon logs a socket's fault at a low level, as the client may cause it. */
  private static UncheckedIOException closed(SSLException cause) {
    SocketException fault = new SocketException("TLS failed");
    fault.initCause(cause);
    return new UncheckedIOException(fault);
  }

  /** The octets of a reader as a stream. */
  private static final class ReaderInput extends InputStream {
    private final DataReader reader;

    ReaderInput(DataReader reader) {
      this.reader = reader;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) {
      if (length == 0) return 0;
      try {
        reader.ensureAvailable();
      } catch (DataReader.InsufficientDataAvailableException e) {
        return -1;
      }
      byte[] octets = reader.readBytes(Math.min(length, reader.available()));
      System.arraycopy(octets, 0, bytes, offset, octets.length);
      return octets.length;
    }

    @Override
    public int read() {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }
  }
}
