package org.quorumail.gossip.transport;

import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.OptionalInt;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import org.quorumail.gossip.transport.FrameFormat.Header;

/** The sealer of this node's frames. Thread-safe: one frame at a time, some microseconds each. */
public final class Sealer {

  private final SecureRandom random = new SecureRandom();
  private final Cipher cipher = FrameFormat.cipher();
  private final Clock clock;
  private KeyRing ring;
  private byte[] session = new byte[0];
  private SecretKey key;
  private long counter;

  public Sealer(KeyRing ring, Clock clock) {
    this.ring = ring;
    this.clock = clock;
    this.key = newSession();
  }

  /** Seals with the first key of this ring from now on. */
  public synchronized void replaceKeys(KeyRing changed) {
    boolean sameKey =
        changed.sealingKey().isSame(ring.sealingKey()) && changed.clusterTag() == ring.clusterTag();
    ring = changed;
    if (!sameKey) key = newSession();
  }

  /**
   * Seals a payload into a frame.
   *
   * @param receiver the tag of the receiving node; empty while its id is unknown
   * @return the frame, {@link FrameFormat#OVERHEAD} bytes longer than the payload
   */
  public synchronized byte[] seal(byte kind, OptionalInt receiver, byte[] payload) {
    if (counter >= FrameFormat.MAX_FRAMES_PER_KEY) key = newSession();
    ByteBuffer frame = ByteBuffer.allocate(payload.length + FrameFormat.OVERHEAD);
    long seconds = clock.millis() / 1000;
    new Header(
            kind,
            ring.clusterTag(),
            ring.sealingKey().id(),
            session,
            counter,
            seconds,
            receiver.orElse(0))
        .write(frame);
    ByteBuffer header = frame.duplicate().flip();
    try {
      FrameFormat.crypt(
          cipher,
          Cipher.ENCRYPT_MODE,
          key,
          counter,
          header,
          ring.clusterName(),
          ByteBuffer.wrap(payload),
          frame);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("AES-GCM refused to seal", e);
    }
    counter++;
    return frame.array();
  }

  private SecretKey newSession() {
    session = new byte[FrameFormat.SESSION_BYTES];
    random.nextBytes(session);
    counter = 0;
    return ring.sealingKey().derive(session);
  }
}
