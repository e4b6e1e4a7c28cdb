package org.quorumail.gossip.transport;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.zip.Deflater;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.quorumail.gossip.plumtree.CompressionConfig;
import org.quorumail.gossip.plumtree.PlumtreeMeter;
import org.quorumail.gossip.plumtree.PlumtreeMetric;

/**
 * The compression of frame bodies: Zstandard (RFC 8878), gzip (RFC 1952) or none. The configuration
 * chooses for sending; received bodies of every kind are decompressed, up to a bound. Thread-safe.
 */
public final class Compression {
  /** The first byte of a {@link FrameBody} whose rest is not compressed. */
  static final byte PLAIN = 0;

  private static final byte ZSTD = 1;
  private static final byte GZIP = 2;

  private final CompressionConfig config;
  private final PlumtreeMeter meter;

  public Compression(CompressionConfig config, PlumtreeMeter meter) {
    this.config = config;
    this.meter = meter;
  }

  /** Compressed bytes, and the algorithm's code for {@link #decompress}. */
  record Compressed(byte algorithm, byte[] bytes) {}

  /** The compressed bytes; empty when compression is off, or does not make the bytes fewer. */
  Optional<Compressed> compress(byte[] bytes) {
    if (!config.enabled()) return Optional.empty();
    byte[] smaller =
        switch (config.algorithm()) {
          case NONE -> bytes;
          case ZSTD -> bytes.length < minimum() ? bytes : Zstd.compress(bytes, config.level());
          case GZIP -> bytes.length < minimum() ? bytes : gzip(bytes);
        };
    if (smaller.length >= bytes.length) {
      meter.count(PlumtreeMetric.COMPRESSION_SKIPPED, 1);
      return Optional.empty();
    }
    meter.count(PlumtreeMetric.COMPRESSION_MESSAGES, 1);
    meter.count(PlumtreeMetric.COMPRESSION_BYTES_IN, bytes.length);
    meter.count(PlumtreeMetric.COMPRESSION_BYTES_SAVED, (long) bytes.length - smaller.length);
    byte algorithm = config.algorithm() == CompressionConfig.Algorithm.ZSTD ? ZSTD : GZIP;
    return Optional.of(new Compressed(algorithm, smaller));
  }

  private int minimum() {
    return config.minPayloadSize();
  }

  private byte[] gzip(byte[] bytes) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(bytes.length);
    try (GZIPOutputStream gzip = new LevelGzipOutputStream(out, Math.min(config.level(), 9))) {
      gzip.write(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException("memory does not fail", e);
    }
    return out.toByteArray();
  }

  private static final class LevelGzipOutputStream extends GZIPOutputStream {
    LevelGzipOutputStream(ByteArrayOutputStream out, int level) throws IOException {
      super(out);
      def.setLevel(level == 0 ? Deflater.DEFAULT_COMPRESSION : level);
    }
  }

  /**
   * Decompresses a body.
   *
   * @param from the index of the first compressed byte
   * @param max bytes that the result may have
   * @throws DecompressedTooLarge when the result is longer, or its length is not stated
   * @throws MalformedFrame when the bytes do not fit the algorithm
   */
  static byte[] decompress(byte algorithm, byte[] bytes, int from, int max)
      throws MalformedFrame, DecompressedTooLarge {
    if (from >= bytes.length) throw new MalformedFrame("nothing to decompress");
    return switch (algorithm) {
      case ZSTD -> unzstd(bytes, from, max);
      case GZIP -> gunzip(bytes, from, max);
      default -> throw new MalformedFrame("an unknown compression");
    };
  }

  /** A Zstandard frame states its size in front, so the bound is checked before decompression. */
  private static byte[] unzstd(byte[] bytes, int from, int max)
      throws MalformedFrame, DecompressedTooLarge {
    long size = Zstd.getFrameContentSize(bytes, from, bytes.length - from);
    if (size < 0 || size > max) throw new DecompressedTooLarge();
    byte[] out = new byte[(int) size];
    try {
      long written = Zstd.decompressByteArray(out, 0, out.length, bytes, from, bytes.length - from);
      if (Zstd.isError(written) || written != size) throw new MalformedFrame("not Zstandard");
    } catch (ZstdException e) {
      throw new MalformedFrame("not Zstandard", e);
    }
    return out;
  }

  /** gzip states its size at the end, so the bytes are decompressed up to the bound. */
  private static byte[] gunzip(byte[] bytes, int from, int max)
      throws MalformedFrame, DecompressedTooLarge {
    try (GZIPInputStream in =
        new GZIPInputStream(new ByteArrayInputStream(bytes, from, bytes.length - from))) {
      byte[] out = in.readNBytes(max);
      if (in.read() >= 0) throw new DecompressedTooLarge();
      return out;
    } catch (IOException e) {
      throw new MalformedFrame("not gzip", e);
    }
  }

  /** The decompressed bytes would exceed the bound. */
  static final class DecompressedTooLarge extends Exception {
    private static final long serialVersionUID = 1L;

    DecompressedTooLarge() {
      super("the decompressed bytes exceed the bound");
    }
  }
}
