package org.quorumail.gossip.transport;

import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.OptionalInt;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import org.quorumail.gossip.transport.Opener.OpenResult;

/**
 * A TCP connection on which both ends have proven the secret.
 *
 * <p>Handshake: the caller sends a sealed hello with a random value. The other end answers only if
 * the hello opens, with a random value of its own and a seal over both. Two keys are derived from
 * both values, one for each direction; so a recorded hello or frame cannot be replayed.
 *
 * <p>Then each end sends frames: length (4), AES-256-GCM of a {@link FrameBody} under the counter
 * of the direction. A cut, repeated or reordered frame breaks the seal and ends the connection.
 */
final class SealedStream implements AutoCloseable {
  /** A page of a membership view or some payloads of the largest size, with room. */
  static final int MAX_FRAME = 4 << 20;

  /** Frames up to this length are read by all streams at once, 64 MiB for 1,024 of them. */
  private static final int MAX_SMALL_FRAME = 64 << 10;

  /** The limit for one frame from its first octet: the longest takes this at 4 Mbit/s. */
  private static final Duration FRAME_TIMEOUT = Duration.ofSeconds(10);

  /** The bound of a decompressed frame. */
  static final int MAX_DECOMPRESSED = 8 << 20;

  private static final int RANDOM_BYTES = 32;
  private static final int HELLO_BYTES = FrameFormat.OVERHEAD + RANDOM_BYTES;
  private static final SecureRandom RANDOM = new SecureRandom();

  private final Socket socket;
  private final DataInputStream in;
  private final DataOutputStream out;
  private final DirectionCipher incoming;
  private final DirectionCipher outgoing;

  private SealedStream(
      BufferedSocket connection, DirectionCipher incoming, DirectionCipher outgoing) {
    this.socket = connection.socket;
    this.in = connection.in;
    this.out = connection.out;
    this.incoming = incoming;
    this.outgoing = outgoing;
  }

  /** The other end did not prove the secret, or broke the protocol. */
  static final class AuthenticationFailure extends IOException {
    private static final long serialVersionUID = 1L;
    private final DropReason reason;

    AuthenticationFailure(DropReason reason) {
      super("the other end did not prove the secret: " + reason.label());
      this.reason = reason;
    }

    DropReason reason() {
      return reason;
    }
  }

  private record BufferedSocket(Socket socket, DataInputStream in, DataOutputStream out) {
    static BufferedSocket of(Socket socket) throws IOException {
      socket.setTcpNoDelay(true);
      return new BufferedSocket(
          socket,
          new DataInputStream(new java.io.BufferedInputStream(socket.getInputStream())),
          new DataOutputStream(new BufferedOutputStream(socket.getOutputStream())));
    }
  }

  /** Proves the secret as the caller, over a connected socket whose timeouts are set. */
  static SealedStream connect(Socket socket, KeyRing ring, Sealer sealer, OptionalInt receiver)
      throws IOException {
    BufferedSocket connection = BufferedSocket.of(socket);
    byte[] mine = random();
    byte[] hello = sealer.seal(FrameFormat.STREAM_HELLO, receiver, mine);
    connection.out.write(hello);
    connection.out.flush();
    byte[] theirs = new byte[RANDOM_BYTES];
    byte[] seal = new byte[FrameFormat.SEAL_BYTES];
    try {
      connection.in.readFully(theirs);
      connection.in.readFully(seal);
    } catch (EOFException e) {
      // a node that does not have this secret closes the connection
      throw new AuthenticationFailure(DropReason.NOT_PROVEN);
    }
    short keyId = ByteBuffer.wrap(hello).getShort(3);
    KeyRing.Key key =
        ring.keysWithId(keyId).stream()
            .findFirst()
            .orElseThrow(() -> new AuthenticationFailure(DropReason.UNKNOWN_KEY));
    StreamKeys keys = new StreamKeys(key, mine, theirs, ring.clusterName());
    if (!keys.proof().opens(seal)) throw new AuthenticationFailure(DropReason.FORGED);
    return new SealedStream(connection, keys.toCaller(), keys.toAnswerer());
  }

  /** Checks the caller's hello, and sends nothing before it has proven the secret. */
  static SealedStream accept(Socket socket, KeyRing ring, Opener opener) throws IOException {
    BufferedSocket connection = BufferedSocket.of(socket);
    byte[] hello = new byte[HELLO_BYTES];
    connection.in.readFully(hello);
    OpenResult opened = opener.open(FrameFormat.STREAM_HELLO, ByteBuffer.wrap(hello));
    return switch (opened) {
      case OpenResult.Dropped dropped -> throw new AuthenticationFailure(dropped.reason());
      case OpenResult.Payload payload -> {
        byte[] mine = random();
        StreamKeys keys = new StreamKeys(payload.key(), payload.bytes(), mine, ring.clusterName());
        connection.out.write(mine);
        connection.out.write(keys.proof().seal(new byte[0]));
        connection.out.flush();
        yield new SealedStream(connection, keys.toAnswerer(), keys.toCaller());
      }
    };
  }

  /** Seals and sends one body; one writer at a time. */
  void write(byte[] body) throws IOException {
    byte[] sealed = outgoing.seal(body);
    out.writeInt(sealed.length);
    out.write(sealed);
    out.flush();
  }

  /** A consumer of one body, whose memory is free after the call; returns false to end. */
  interface BodyHandler {
    boolean handle(byte[] body);
  }

  /**
   * Waits for the next body and hands it to the handler. One reader at a time.
   *
   * @param longFrames a permit for each frame in memory that is not small
   * @return the handler's result
   * @throws AuthenticationFailure when a frame is too long or its seal is broken: the connection
   *     must end
   */
  boolean read(Semaphore longFrames, BodyHandler handler) throws IOException {
    int idleTimeout = socket.getSoTimeout();
    long end = awaitFrame() + FRAME_TIMEOUT.toNanos();
    int length = ByteBuffer.wrap(readFully(Integer.BYTES, end)).getInt();
    if (length < FrameFormat.SEAL_BYTES) throw new AuthenticationFailure(DropReason.TOO_SHORT);
    if (length > MAX_FRAME) throw new AuthenticationFailure(DropReason.TOO_LONG);
    if (length <= MAX_SMALL_FRAME) {
      byte[] sealed = readFully(length, end);
      socket.setSoTimeout(idleTimeout);
      return handler.handle(incoming.open(sealed));
    }
    try {
      if (!longFrames.tryAcquire(FRAME_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new SocketTimeoutException("no room for a long frame: too many at once");
      }
    } catch (InterruptedException e) {
      throw new InterruptedIOException("interrupted");
    }
    try {
      byte[] sealed = readFully(length, System.nanoTime() + FRAME_TIMEOUT.toNanos());
      socket.setSoTimeout(idleTimeout);
      return handler.handle(incoming.open(sealed));
    } finally {
      longFrames.release();
    }
  }

  /** Waits for the first octet of a frame, which it leaves unread; returns the time. */
  private long awaitFrame() throws IOException {
    in.mark(1);
    if (in.read() < 0) throw new EOFException();
    in.reset();
    return System.nanoTime();
  }

  /**
   * Reads octets of a frame until a time: a sender that pauses, or sends an octet now and then,
   * must not keep a permit or a thread for long.
   */
  private byte[] readFully(int length, long end) throws IOException {
    byte[] octets = new byte[length];
    for (int have = 0; have < length; ) {
      long left = (end - System.nanoTime()) / 1_000_000;
      if (left <= 0) throw new SocketTimeoutException("a frame did not arrive in time");
      socket.setSoTimeout((int) left);
      int read = in.read(octets, have, length - have);
      if (read < 0) throw new EOFException();
      have += read;
    }
    return octets;
  }

  Socket socket() {
    return socket;
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }

  private static byte[] random() {
    byte[] bytes = new byte[RANDOM_BYTES];
    RANDOM.nextBytes(bytes);
    return bytes;
  }

  /** The keys that are derived from both random values. */
  private record StreamKeys(
      KeyRing.Key key, byte[] callerRandom, byte[] answererRandom, byte[] cluster) {
    DirectionCipher proof() {
      return direction("proof");
    }

    DirectionCipher toAnswerer() {
      return direction("to answerer");
    }

    DirectionCipher toCaller() {
      return direction("to caller");
    }

    private DirectionCipher direction(String purpose) {
      byte[] name = purpose.getBytes(StandardCharsets.US_ASCII);
      ByteBuffer info =
          ByteBuffer.allocate(name.length + callerRandom.length + answererRandom.length);
      info.put(name).put(callerRandom).put(answererRandom);
      return new DirectionCipher(key.derive(info.array()), cluster);
    }
  }

  /** AES-GCM for one direction of one connection; its own key, and a counter as the nonce. */
  private static final class DirectionCipher {
    private static final ByteBuffer NO_HEADER = ByteBuffer.allocate(0).asReadOnlyBuffer();

    private final Cipher cipher = FrameFormat.cipher();
    private final SecretKey key;
    private final byte[] cluster;
    private long counter;

    DirectionCipher(SecretKey key, byte[] cluster) {
      this.key = key;
      this.cluster = cluster;
    }

    byte[] seal(byte[] plain) {
      try {
        return crypt(Cipher.ENCRYPT_MODE, plain, plain.length + FrameFormat.SEAL_BYTES);
      } catch (GeneralSecurityException e) {
        throw new IllegalStateException("AES-GCM refused to seal", e);
      }
    }

    byte[] open(byte[] sealed) throws AuthenticationFailure {
      try {
        return crypt(Cipher.DECRYPT_MODE, sealed, sealed.length - FrameFormat.SEAL_BYTES);
      } catch (GeneralSecurityException e) {
        throw new AuthenticationFailure(DropReason.FORGED);
      }
    }

    boolean opens(byte[] sealed) {
      try {
        open(sealed);
        return true;
      } catch (AuthenticationFailure e) {
        return false;
      }
    }

    private byte[] crypt(int mode, byte[] in, int outLength) throws GeneralSecurityException {
      if (counter >= FrameFormat.MAX_FRAMES_PER_KEY) {
        throw new IllegalStateException("a stream's nonces are used up");
      }
      byte[] out = new byte[outLength];
      FrameFormat.crypt(
          cipher,
          mode,
          key,
          counter++,
          NO_HEADER.duplicate(),
          cluster,
          ByteBuffer.wrap(in),
          ByteBuffer.wrap(out));
      return out;
    }
  }
}
