package org.quorumail.gossip.transport;

import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;

/**
 * The format of a sealed frame, big-endian:
 *
 * <pre>
 *  0  1  kind and version
 *  1  2  cluster tag
 *  3  2  key id
 *  5 12  session: random, new at each start of the sender
 * 17  6  counter within the session
 * 23  4  time of sealing, seconds since 1970
 * 27  4  receiver: tag of its id, 0 while the sender does not know it
 * 31  …  AES-256-GCM of the payload, bound to the header and the cluster's name
 *  …  16  the seal
 * </pre>
 *
 * Nonces never repeat: the key is derived from root key and session, and the nonce is the counter.
 * A session ends after 2^32 frames, far below GCM's limit for one key (NIST SP 800-38D §8.3). Two
 * sessions of a cluster collide with a probability below 2^-50 in a million starts.
 */
public final class FrameFormat {
  public static final byte DATAGRAM = 0x51;
  static final byte STREAM_HELLO = 0x52;
  public static final byte ANNOUNCEMENT = 0x53;
  static final int SESSION_BYTES = 12;
  static final int HEADER_BYTES = 31;
  static final int SEAL_BYTES = 16;

  /** Then a new session with a new key begins. */
  static final long MAX_FRAMES_PER_KEY = 1L << 32;

  /** The bytes that sealing adds to a payload. */
  static final int OVERHEAD = HEADER_BYTES + SEAL_BYTES;

  private static final int NONCE_BYTES = 12;

  private FrameFormat() {}

  record Header(
      byte kind,
      short clusterTag,
      short keyId,
      byte[] session,
      long counter,
      long seconds,
      int receiver) {

    /** Reads a header; the buffer must hold at least {@link #HEADER_BYTES} bytes. */
    static Header read(ByteBuffer in) {
      byte kind = in.get();
      short tag = in.getShort();
      short keyId = in.getShort();
      byte[] session = new byte[SESSION_BYTES];
      in.get(session);
      long counter = ((in.getShort() & 0xffffL) << 32) | (in.getInt() & 0xffff_ffffL);
      long seconds = in.getInt() & 0xffff_ffffL;
      return new Header(kind, tag, keyId, session, counter, seconds, in.getInt());
    }

    void write(ByteBuffer out) {
      out.put(kind).putShort(clusterTag).putShort(keyId).put(session);
      out.putShort((short) (counter >>> 32)).putInt((int) counter);
      out.putInt((int) seconds).putInt(receiver);
    }
  }

  /** The tag of a receiving node; never 0. */
  static int receiverTag(String nodeId) {
    byte[] digest = KeyRing.sha256(nodeId.getBytes(java.nio.charset.StandardCharsets.UTF_8));
    return ByteBuffer.wrap(digest).getInt() | 1;
  }

  /** Runs AES-GCM once over the input from its position to its limit. */
  static void crypt(
      Cipher cipher,
      int mode,
      SecretKey key,
      long counter,
      ByteBuffer header,
      byte[] cluster,
      ByteBuffer in,
      ByteBuffer out)
      throws GeneralSecurityException {
    byte[] nonce = ByteBuffer.allocate(NONCE_BYTES).putInt(0).putLong(counter).array();
    cipher.init(mode, key, new GCMParameterSpec(SEAL_BYTES * 8, nonce));
    cipher.updateAAD(header);
    cipher.updateAAD(cluster);
    cipher.doFinal(in, out);
  }

  static Cipher cipher() {
    try {
      return Cipher.getInstance("AES/GCM/NoPadding");
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has AES-GCM", e);
    }
  }
}
