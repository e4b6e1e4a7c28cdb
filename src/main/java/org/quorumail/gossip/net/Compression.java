package org.quorumail.gossip.net;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdException;
import java.util.Optional;

/** Zstandard (RFC 8878) with a bound on what a frame may inflate to, checked before it inflates. */
final class Compression {
  private static final int LEVEL = 3;

  private Compression() {}

  /** The compressed bytes, or empty when they are not fewer. */
  static Optional<byte[]> deflate(byte[] bytes) {
    byte[] smaller = Zstd.compress(bytes, LEVEL);
    return smaller.length < bytes.length ? Optional.of(smaller) : Optional.empty();
  }

  /**
   * @param from where the compressed bytes begin
   * @param max bytes that the result may have
   * @throws TooLarge when it would have more, or does not say how many
   * @throws MalformedFrame when it is not a Zstandard frame
   */
  static byte[] inflate(byte[] bytes, int from, int max) throws MalformedFrame, TooLarge {
    if (from >= bytes.length) throw new MalformedFrame("nothing to inflate");
    long size = Zstd.getFrameContentSize(bytes, from, bytes.length - from);
    if (size < 0 || size > max) throw new TooLarge();
    byte[] out = new byte[(int) size];
    try {
      long written = Zstd.decompressByteArray(out, 0, out.length, bytes, from, bytes.length - from);
      if (Zstd.isError(written) || written != size) throw new MalformedFrame("not Zstandard");
    } catch (ZstdException e) {
      throw new MalformedFrame("not Zstandard", e);
    }
    return out;
  }

  /** It would inflate beyond the bound. */
  static final class TooLarge extends Exception {
    private static final long serialVersionUID = 1L;

    TooLarge() {
      super("inflates beyond what is allowed");
    }
  }
}
