package org.quorumail.gossip.transport;

import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.OptionalInt;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import org.quorumail.gossip.transport.FrameFormat.Header;

/** Seals what this node sends. Thread-safe; one at a time, some microseconds each. */
public final class Sealer {
  /** See {@link FrameFormat}: then a new session with a new key begins. */
  private static final long MAX_FRAMES = 1L << 32;

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

  /** From now on with the first key of this ring. */
  public synchronized void replaceKeys(KeyRing changed) {
    boolean sameKey =
        changed.sealingKey().isSame(ring.sealingKey()) && changed.clusterTag() == ring.clusterTag();
    ring = changed;
    if (!sameKey) key = newSession();
  }

  /**
   * @param receiver the tag of the node it is for; empty when its name is not known yet
   * @return the frame, {@link FrameFormat#OVERHEAD} bytes longer than the payload
   */
  public synchronized byte[] seal(byte kind, OptionalInt receiver, byte[] payload) {
    if (counter >= MAX_FRAMES) key = newSession();
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
