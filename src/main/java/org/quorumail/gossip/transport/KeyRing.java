package org.quorumail.gossip.transport;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import javax.crypto.KDF;
import javax.crypto.SecretKey;
import javax.crypto.spec.HKDFParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * The keys of one cluster: the first seals, all of them open. During a rotation a second one is in
 * the ring. Immutable.
 *
 * <p>The cluster's name goes into the data that each seal is bound to, so two clusters that share a
 * secret by mistake do not hear each other.
 */
public final class KeyRing {
  /** A rotation needs two; more is room for one that was interrupted. */
  public static final int MAX_KEYS = 4;

  private static final int KEY_BYTES = 32;

  private final byte[] clusterName;
  private final short clusterTag;
  private final List<Key> keys;

  private KeyRing(byte[] cluster, List<Key> keys) {
    this.clusterName = cluster;
    this.clusterTag = ByteBuffer.wrap(sha256(cluster)).getShort();
    this.keys = List.copyOf(keys);
  }

  /**
   * @param cluster the cluster's name
   * @param secret seals and opens
   * @param accepted further secrets that open, during a rotation
   */
  public static KeyRing of(String cluster, byte[] secret, List<byte[]> accepted) {
    if (accepted.size() >= MAX_KEYS) {
      throw new IllegalArgumentException("a key ring has at most " + MAX_KEYS + " secrets");
    }
    List<Key> keys = new ArrayList<>();
    keys.add(Key.of(secret));
    accepted.forEach(other -> keys.add(Key.of(other)));
    return new KeyRing(cluster.getBytes(StandardCharsets.UTF_8), keys);
  }

  /** What a frame's seal is bound to beside its header. */
  byte[] clusterName() {
    return clusterName.clone();
  }

  /** Two bytes in each frame by which foreign ones are told apart cheaply; proves nothing. */
  short clusterTag() {
    return clusterTag;
  }

  Key sealingKey() {
    return keys.getFirst();
  }

  /** The keys that a frame may mean: one secret in 65,536 has the two bytes of another. */
  List<Key> keysWithId(short id) {
    return keys.stream().filter(key -> key.id == id).toList();
  }

  static byte[] sha256(byte[] bytes) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(bytes);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  /** A key from which the keys of senders and streams follow; it never seals by itself. */
  static final class Key {
    private final short id;
    private final SecretKey root;

    private Key(short id, SecretKey root) {
      this.id = id;
      this.root = root;
    }

    private static Key of(byte[] secret) {
      try {
        byte[] info = "quorumail gossip 1".getBytes(StandardCharsets.UTF_8);
        byte[] derived =
            KDF.getInstance("HKDF-SHA256")
                .deriveData(
                    HKDFParameterSpec.ofExtract()
                        .addIKM(secret)
                        .thenExpand(info, KEY_BYTES + Short.BYTES));
        ByteBuffer parts = ByteBuffer.wrap(derived);
        byte[] root = new byte[KEY_BYTES];
        parts.get(root);
        return new Key(parts.getShort(), new SecretKeySpec(root, "Generic"));
      } catch (GeneralSecurityException e) {
        throw new IllegalStateException("the JDK lacks HKDF", e);
      }
    }

    boolean isSame(Key other) {
      return root.equals(other.root);
    }

    /** Two bytes by which a frame names its key. */
    short id() {
      return id;
    }

    /** The AES-256 key of one sender's session or of one direction of a stream. */
    SecretKey derive(byte[] purpose) {
      try {
        return KDF.getInstance("HKDF-SHA256")
            .deriveKey("AES", HKDFParameterSpec.expandOnly(root, purpose, KEY_BYTES));
      } catch (GeneralSecurityException e) {
        throw new IllegalStateException("the JDK lacks HKDF", e);
      }
    }
  }
}
