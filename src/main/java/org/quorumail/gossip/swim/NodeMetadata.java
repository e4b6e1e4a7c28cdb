package org.quorumail.gossip.swim;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.Hash64;

/**
 * A node's metadata: at most 64 KiB, opaque to SWIM. Up to {@link #MAX_IN_GOSSIP} bytes travel
 * inside updates. Of longer metadata only the length and a digest do, and a node that lacks the
 * bytes fetches them ({@link SwimMessage.MetadataRequest}).
 */
public final class NodeMetadata {
  /** memberlist's bound: two members with full metadata still fit into one datagram. */
  public static final int MAX_IN_GOSSIP = 512;

  public static final int MAX_LENGTH = 64 * 1024;

  public static final NodeMetadata EMPTY = of(new byte[0]);

  private final int length;
  private final long digest;
  private final byte @Nullable [] bytes;

  private NodeMetadata(int length, long digest, byte @Nullable [] bytes) {
    this.length = length;
    this.digest = digest;
    this.bytes = bytes;
  }

  /** Metadata with its bytes, which are copied. */
  public static NodeMetadata of(byte[] bytes) {
    if (bytes.length > MAX_LENGTH) {
      throw new IllegalArgumentException(
          "metadata is at most " + MAX_LENGTH + " bytes, not " + bytes.length);
    }
    return new NodeMetadata(bytes.length, Hash64.of(bytes), bytes.clone());
  }

  /** Metadata whose bytes are still to be fetched. */
  static NodeMetadata digestOnly(int length, long digest) {
    return new NodeMetadata(length, digest, null);
  }

  /** Returns false while the bytes are still to be fetched. */
  public boolean isPresent() {
    return bytes != null;
  }

  public int length() {
    return length;
  }

  long digest() {
    return digest;
  }

  boolean fitsGossip() {
    return length <= MAX_IN_GOSSIP;
  }

  /** A copy of the bytes; empty while they are still to be fetched. */
  public byte[] bytes() {
    return bytes == null ? new byte[0] : bytes.clone();
  }

  /** Compares length and digest only, as the bytes may be absent in one of them. */
  boolean sameContent(NodeMetadata other) {
    return length == other.length && digest == other.digest;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof NodeMetadata that
        && sameContent(that)
        && Arrays.equals(this.bytes, that.bytes);
  }

  @Override
  public int hashCode() {
    return (int) digest * 31 + length;
  }

  @Override
  public String toString() {
    return "metadata(" + length + (bytes == null ? " bytes, to be fetched)" : " bytes)");
  }
}
