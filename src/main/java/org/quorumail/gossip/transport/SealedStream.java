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
 * A TCP connection on which both ends have proven the secret. The caller sends a sealed hello with
 * a random value; the other end answers only if it opens, with a random value of its own and a seal
 * over both; from both values follow two keys, one for each direction. So neither a recorded hello
 * nor a recorded frame is of any use.
 *
 * <p>After that, frames: length (4), AES-256-GCM of a {@link FrameBody} under the counter of the
 * direction. A cut, repeated or reordered frame breaks the seal and ends the connection.
 */
final class SealedStream implements AutoCloseable {
  /** A page of a membership view or some payloads of the largest size, with room. */
  static final int MAX_FRAME = 4 << 20;

  /** Frames up to here are read by all streams at once, 64 MiB for 1,024 of them. */
  private static final int MAX_SMALL_FRAME = 64 << 10;

  /** For the whole of a longer one: the longest over 4 Mbit/s. */
  private static final Duration LONG_FRAME_TIMEOUT = Duration.ofSeconds(10);

  /** What a compressed frame may inflate to. */
  static final int MAX_DECOMPRESSED = 8 << 20;

  private static final int RANDOM_BYTES = 32;
  private static final int HELLO_BYTES = FrameFormat.OVERHEAD + RANDOM_BYTES;
  private static final SecureRandom RANDOM = new SecureRandom();

  private final Socket socket;
  private final DataInputStream in;
  private final DataOutputStream out;
  private final DirectionCipher incoming;
  private final DirectionCipher outgoing;

  private SealedStream(BufferedSocket wire, DirectionCipher incoming, DirectionCipher outgoing) {
    this.socket = wire.socket;
    this.in = wire.in;
    this.out = wire.out;
    this.incoming = incoming;
    this.outgoing = outgoing;
  }

  /** The other end is not a member, or does not speak as one. */
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

  /** The calling end, over a connected socket whose time-outs are set. */
  static SealedStream connect(Socket socket, KeyRing ring, Sealer sealer, OptionalInt receiver)
      throws IOException {
    BufferedSocket wire = BufferedSocket.of(socket);
    byte[] mine = random();
    byte[] hello = sealer.seal(FrameFormat.STREAM_HELLO, receiver, mine);
    wire.out.write(hello);
    wire.out.flush();
    byte[] theirs = new byte[RANDOM_BYTES];
    byte[] seal = new byte[FrameFormat.SEAL_BYTES];
    try {
      wire.in.readFully(theirs);
      wire.in.readFully(seal);
    } catch (EOFException e) {
      throw new AuthenticationFailure(
          DropReason.NOT_PROVEN); // so does a node that does not hold our secret
    }
    short keyId = ByteBuffer.wrap(hello).getShort(3);
    KeyRing.Key key =
        ring.keysWithId(keyId).stream()
            .findFirst()
            .orElseThrow(() -> new AuthenticationFailure(DropReason.UNKNOWN_KEY));
    StreamKeys keys = new StreamKeys(key, mine, theirs, ring.clusterName());
    if (!keys.proof().opens(seal)) throw new AuthenticationFailure(DropReason.FORGED);
    return new SealedStream(wire, keys.toCaller(), keys.toAnswerer());
  }

  /** The answering end. Says nothing before the other one has proven itself. */
  static SealedStream accept(Socket socket, KeyRing ring, Opener opener) throws IOException {
    BufferedSocket wire = BufferedSocket.of(socket);
    byte[] hello = new byte[HELLO_BYTES];
    wire.in.readFully(hello);
    OpenResult opened = opener.open(FrameFormat.STREAM_HELLO, ByteBuffer.wrap(hello));
    return switch (opened) {
      case OpenResult.Dropped dropped -> throw new AuthenticationFailure(dropped.reason());
      case OpenResult.Payload payload -> {
        byte[] mine = random();
        StreamKeys keys = new StreamKeys(payload.key(), payload.bytes(), mine, ring.clusterName());
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
  interface BodyHandler {
    boolean handle(byte[] body);
  }

  /**
   * Reads the next body and hands it over; waits for it. One reader at a time.
   *
   * @param longFrames how many frames that are not small may be in memory at once
   * @return what the taker said
   * @throws AuthenticationFailure when a frame is too long or its seal is broken: the connection
   *     must end
   */
  boolean read(Semaphore longFrames, BodyHandler taker) throws IOException {
    int length = in.readInt();
    if (length < FrameFormat.SEAL_BYTES) throw new AuthenticationFailure(DropReason.TOO_SHORT);
    if (length > MAX_FRAME) throw new AuthenticationFailure(DropReason.TOO_LONG);
    if (length <= MAX_SMALL_FRAME) {
      byte[] sealed = new byte[length];
      in.readFully(sealed);
      return taker.handle(incoming.open(sealed));
    }
    try {
      if (!longFrames.tryAcquire(LONG_FRAME_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new SocketTimeoutException("too many long frames at once");
      }
    } catch (InterruptedException e) {
      throw new InterruptedIOException("interrupted");
    }
    try {
      return taker.handle(incoming.open(readLong(length)));
    } finally {
      longFrames.release();
    }
  }

  /** A sender that pauses in the middle of a long frame must not hold its place for long. */
  private byte[] readLong(int length) throws IOException {
    long end = System.nanoTime() + LONG_FRAME_TIMEOUT.toNanos();
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

  /** One key that is used for one direction of one connection, its nonces a counter. */
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
