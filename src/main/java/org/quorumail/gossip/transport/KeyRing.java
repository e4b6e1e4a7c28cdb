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
 * The keys of one cluster: the first key seals, all keys open. During a rotation the ring holds a
 * second key. Immutable.
 *
 * <p>Each seal is also bound to the cluster's name, so two clusters that share a secret by mistake
 * drop each other's frames.
 */
public final class KeyRing {
  /** A rotation needs two; more keys are room for an interrupted rotation. */
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
   * Derives the keys from their secrets.
   *
   * @param cluster the cluster's name
   * @param secret seals and opens
   * @param accepted further secrets that only open, during a rotation
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

  /** The associated data of each seal, beside the frame's header. */
  byte[] clusterName() {
    return clusterName.clone();
  }

  /** Two bytes in each frame that sort out other clusters' frames cheaply; they prove nothing. */
  short clusterTag() {
    return clusterTag;
  }

  Key sealingKey() {
    return keys.getFirst();
  }

  /** The candidate keys of a frame: two of 65,536 secrets may share an id. */
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

  /** A root key: the keys of senders and streams are derived from it, and it never seals itself. */
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

    /** The two bytes in a frame that identify its key. */
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
