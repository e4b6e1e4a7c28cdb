package org.quorumail.gossip.net;

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
import org.quorumail.gossip.net.Opener.Opened;

/**
 * A TCP connection on which both ends have proven the secret. The caller sends a sealed hello with
 * a random value; the other end answers only if it opens, with a random value of its own and a seal
 * over both; from both values follow two keys, one for each direction. So neither a recorded hello
 * nor a recorded frame is of any use.
 *
 * <p>After that, frames: length (4), AES-256-GCM of a {@link Body} under the counter of the
 * direction. A cut, repeated or reordered frame breaks the seal and ends the connection.
 */
final class SealedStream implements AutoCloseable {
  /** A page of a membership view or some payloads of the largest size, with room. */
  static final int MAX_FRAME = 4 << 20;

  /** Frames up to here are read by all streams at once, 64 MiB for 1,024 of them. */
  private static final int SMALL = 64 << 10;

  /** For the whole of a longer one: the longest over 4 Mbit/s. */
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  /** What a compressed frame may inflate to. */
  static final int MAX_INFLATED = 8 << 20;

  private static final int RANDOM_BYTES = 32;
  private static final int HELLO_BYTES = FrameFormat.OVERHEAD + RANDOM_BYTES;
  private static final SecureRandom RANDOM = new SecureRandom();

  private final Socket socket;
  private final DataInputStream in;
  private final DataOutputStream out;
  private final Direction incoming;
  private final Direction outgoing;

  private SealedStream(Wire wire, Direction incoming, Direction outgoing) {
    this.socket = wire.socket;
    this.in = wire.in;
    this.out = wire.out;
    this.incoming = incoming;
    this.outgoing = outgoing;
  }

  /** The other end is not a member, or does not speak as one. */
  static final class Unproven extends IOException {
    private static final long serialVersionUID = 1L;
    private final DropReason reason;

    Unproven(DropReason reason) {
      super("the other end did not prove the secret: " + reason.label());
      this.reason = reason;
    }

    DropReason reason() {
      return reason;
    }
  }

  private record Wire(Socket socket, DataInputStream in, DataOutputStream out) {
    static Wire of(Socket socket) throws IOException {
      socket.setTcpNoDelay(true);
      return new Wire(
          socket,
          new DataInputStream(new java.io.BufferedInputStream(socket.getInputStream())),
          new DataOutputStream(new BufferedOutputStream(socket.getOutputStream())));
    }
  }

  /** The calling end, over a connected socket whose time-outs are set. */
  static SealedStream call(Socket socket, KeyRing ring, Sealer sealer, OptionalInt receiver)
      throws IOException {
    Wire wire = Wire.of(socket);
    byte[] mine = random();
    byte[] hello = sealer.seal(FrameFormat.STREAM_HELLO, receiver, mine);
    wire.out.write(hello);
    wire.out.flush();
    byte[] theirs = new byte[RANDOM_BYTES];
    byte[] seal = new byte[FrameFormat.SEAL];
    try {
      wire.in.readFully(theirs);
      wire.in.readFully(seal);
    } catch (EOFException e) {
      throw new Unproven(DropReason.NOT_PROVEN); // so does a node that does not hold our secret
    }
    short keyId = ByteBuffer.wrap(hello).getShort(3);
    KeyRing.Key key =
        ring.named(keyId).stream()
            .findFirst()
            .orElseThrow(() -> new Unproven(DropReason.UNKNOWN_KEY));
    Keys keys = new Keys(key, mine, theirs, ring.cluster());
    if (!keys.proof().opens(seal)) throw new Unproven(DropReason.FORGED);
    return new SealedStream(wire, keys.toCaller(), keys.toAnswerer());
  }

  /** The answering end. Says nothing before the other one has proven itself. */
  static SealedStream answer(Socket socket, KeyRing ring, Opener opener) throws IOException {
    Wire wire = Wire.of(socket);
    byte[] hello = new byte[HELLO_BYTES];
    wire.in.readFully(hello);
    Opened opened = opener.open(FrameFormat.STREAM_HELLO, ByteBuffer.wrap(hello));
    return switch (opened) {
      case Opened.Dropped dropped -> throw new Unproven(dropped.reason());
      case Opened.Payload payload -> {
        byte[] mine = random();
        Keys keys = new Keys(payload.key(), payload.bytes(), mine, ring.cluster());
        wire.out.write(mine);
        wire.out.write(keys.proof().seal(new byte[0]));
        wire.out.flush();
        yield new SealedStream(wire, keys.toAnswerer(), keys.toCaller());
      }
    };
  }

  /** One writer at a time. */
  void write(byte[] body) throws IOException {
    byte[] sealed = outgoing.seal(body);
    out.writeInt(sealed.length);
    out.write(sealed);
    out.flush();
  }

  /** What takes a body; its memory is free when it returns. */
  interface Taker {
    boolean take(byte[] body);
  }

  /**
   * Reads the next body and hands it over; waits for it. One reader at a time.
   *
   * @param longFrames how many frames that are not small may be in memory at once
   * @return what the taker said
   * @throws Unproven when a frame is too long or its seal is broken: the connection must end
   */
  boolean read(Semaphore longFrames, Taker taker) throws IOException {
    int length = in.readInt();
    if (length < FrameFormat.SEAL) throw new Unproven(DropReason.TOO_SHORT);
    if (length > MAX_FRAME) throw new Unproven(DropReason.TOO_LONG);
    if (length <= SMALL) {
      byte[] sealed = new byte[length];
      in.readFully(sealed);
      return taker.take(incoming.open(sealed));
    }
    try {
      if (!longFrames.tryAcquire(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new SocketTimeoutException("too many long frames at once");
      }
    } catch (InterruptedException e) {
      throw new InterruptedIOException("interrupted");
    }
    try {
      return taker.take(incoming.open(readLong(length)));
    } finally {
      longFrames.release();
    }
  }

  /** A sender that pauses in the middle of a long frame must not hold its place for long. */
  private byte[] readLong(int length) throws IOException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    byte[] sealed = new byte[length];
    int idle = socket.getSoTimeout();
    for (int have = 0; have < length; ) {
      long left = (end - System.nanoTime()) / 1_000_000;
      if (left <= 0) throw new SocketTimeoutException("a frame that does not end");
      socket.setSoTimeout((int) left);
      int read = in.read(sealed, have, length - have);
      if (read < 0) throw new EOFException();
      have += read;
    }
    socket.setSoTimeout(idle);
    return sealed;
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

  /** What follows from both random values. */
  private record Keys(KeyRing.Key key, byte[] caller, byte[] answerer, byte[] cluster) {
    Direction proof() {
      return direction("proof");
    }

    Direction toAnswerer() {
      return direction("to answerer");
    }

    Direction toCaller() {
      return direction("to caller");
    }

    private Direction direction(String purpose) {
      byte[] name = purpose.getBytes(StandardCharsets.US_ASCII);
      ByteBuffer info = ByteBuffer.allocate(name.length + caller.length + answerer.length);
      info.put(name).put(caller).put(answerer);
      return new Direction(key.derive(info.array()), cluster);
    }
  }

  /** One key that is used for one direction of one connection, its nonces a counter. */
  private static final class Direction {
    private static final ByteBuffer NO_HEADER = ByteBuffer.allocate(0).asReadOnlyBuffer();

    private final Cipher cipher = FrameFormat.cipher();
    private final SecretKey key;
    private final byte[] cluster;
    private long counter;

    Direction(SecretKey key, byte[] cluster) {
      this.key = key;
      this.cluster = cluster;
    }

    byte[] seal(byte[] plain) {
      try {
        return crypt(Cipher.ENCRYPT_MODE, plain, plain.length + FrameFormat.SEAL);
      } catch (GeneralSecurityException e) {
        throw new IllegalStateException("AES-GCM refused to seal", e);
      }
    }

    byte[] open(byte[] sealed) throws Unproven {
      try {
        return crypt(Cipher.DECRYPT_MODE, sealed, sealed.length - FrameFormat.SEAL);
      } catch (GeneralSecurityException e) {
        throw new Unproven(DropReason.FORGED);
      }
    }

    boolean opens(byte[] sealed) {
      try {
        open(sealed);
        return true;
      } catch (Unproven e) {
        return false;
      }
    }

    private byte[] crypt(int mode, byte[] in, int outLength) throws GeneralSecurityException {
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
