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
 * Compresses what goes out as configured, and counts what that saves. Whatever comes in is
 * inflated, whichever way the sender compresses: Zstandard (RFC 8878) or gzip (RFC 1952), never
 * beyond a bound. Thread-safe.
 */
public final class Compression {
  /** The first byte of a {@link FrameBody} says which way the rest was compressed. */
  static final byte PLAIN = 0;

  private static final byte ZSTD = 1;
  private static final byte GZIP = 2;

  private final CompressionConfig config;
  private final PlumtreeMeter meter;

  public Compression(CompressionConfig config, PlumtreeMeter meter) {
    this.config = config;
    this.meter = meter;
  }

  /**
   * @param algorithm what {@link #decompress} has to be told
   */
  record Compressed(byte algorithm, byte[] bytes) {}

  /** The compressed bytes; empty when it is switched off, not worth it, or they are not fewer. */
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
    byte form = config.algorithm() == CompressionConfig.Algorithm.ZSTD ? ZSTD : GZIP;
    return Optional.of(new Compressed(form, smaller));
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
   * @param from where the compressed bytes begin
   * @param max bytes that the result may have
   * @throws DecompressedTooLarge when it would have more, or does not say how many
   * @throws MalformedFrame when it is not what the form says
   */
  static byte[] decompress(byte form, byte[] bytes, int from, int max)
      throws MalformedFrame, DecompressedTooLarge {
    if (from >= bytes.length) throw new MalformedFrame("nothing to inflate");
    return switch (form) {
      case ZSTD -> unzstd(bytes, from, max);
      case GZIP -> gunzip(bytes, from, max);
      default -> throw new MalformedFrame("an unknown form of body");
    };
  }

  /** A Zstandard frame says its size in front, so it is checked before anything is inflated. */
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

  /** gzip says its size at the end, where nobody need believe it: inflated up to the bound. */
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

  /** It would inflate beyond the bound. */
  static final class DecompressedTooLarge extends Exception {
    private static final long serialVersionUID = 1L;

    DecompressedTooLarge() {
      super("inflates beyond what is allowed");
    }
  }
}
