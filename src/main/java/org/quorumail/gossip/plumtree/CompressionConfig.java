package org.quorumail.gossip.plumtree;

/**
 * Compression on the wire: the driver's work.
 *
 * @param level 1 to 22 for Zstandard, 1 to 9 for gzip
 * @param minPayloadSize bytes below which nothing is compressed
 */
public record CompressionConfig(
    boolean enabled, Algorithm algorithm, int level, int minPayloadSize) {
  /** Of what is sent; what comes says by itself how it was made. */
  public enum Algorithm {
    NONE,
    GZIP,
    ZSTD
  }

  public static CompressionConfig off() {
    return new CompressionConfig(false, Algorithm.NONE, 3, 256);
  }

  public static CompressionConfig zstd() {
    return new CompressionConfig(true, Algorithm.ZSTD, 3, 256);
  }
}
