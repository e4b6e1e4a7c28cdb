package org.quorumail.gossip.plumtree;

/**
 * The compression of payloads, which the driver applies.
 *
 * @param level 1 to 22 for Zstandard, 1 to 9 for gzip
 * @param minPayloadSize payloads with fewer bytes are not compressed
 */
public record CompressionConfig(
    boolean enabled, Algorithm algorithm, int level, int minPayloadSize) {
  /** The algorithm for sent payloads; received ones name their own. */
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
