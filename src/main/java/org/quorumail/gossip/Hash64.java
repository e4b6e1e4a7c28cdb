package org.quorumail.gossip;

/** A hash that is equal on all nodes and in all versions; it is not a cryptographic one. */
public final class Hash64 {
  private static final long FNV_OFFSET = 0xcbf29ce484222325L;
  private static final long FNV_PRIME = 0x100000001b3L;

  private Hash64() {}

  static long of(String ascii) {
    long hash = FNV_OFFSET;
    for (int i = 0; i < ascii.length(); i++) hash = (hash ^ ascii.charAt(i)) * FNV_PRIME;
    return mix(hash);
  }

  public static long of(byte[] bytes) {
    long hash = FNV_OFFSET;
    for (byte b : bytes) hash = (hash ^ (b & 0xff)) * FNV_PRIME;
    return mix(hash);
  }

  /** Mixes every bit into all bits (the finalizer of SplitMix64). */
  public static long mix(long value) {
    long z = value;
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }
}
