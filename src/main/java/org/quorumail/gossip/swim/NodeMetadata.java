package org.quorumail.gossip.swim;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.Hash64;

/**
 * What a node says about itself, opaque here: at most 64 KiB. Up to {@link #MAX_IN_GOSSIP} bytes
 * travel inside updates; of a longer one only length and digest do, and who lacks the bytes asks
 * for them ({@link SwimMessage.MetadataRequest}).
 */
public final class NodeMetadata {
  /** As in memberlist: two members with full metadata still fit into one datagram. */
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

  /** The bytes themselves; they are copied. */
  public static NodeMetadata of(byte[] bytes) {
    if (bytes.length > MAX_LENGTH) {
      throw new IllegalArgumentException(
          "metadata is at most " + MAX_LENGTH + " bytes, not " + bytes.length);
    }
    return new NodeMetadata(bytes.length, Hash64.of(bytes), bytes.clone());
  }

  /** What is known of metadata whose bytes are still to be asked for. */
  static NodeMetadata digestOnly(int length, long digest) {
    return new NodeMetadata(length, digest, null);
  }

  /** False while the bytes are still on their way. */
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

  /** A copy of the bytes; none while they are on their way. */
  public byte[] bytes() {
    return bytes == null ? new byte[0] : bytes.clone();
  }

  /** Same content, by length and digest: the bytes may be absent in one of them. */
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
    return "meta(" + length + (bytes == null ? " bytes, on its way)" : " bytes)");
  }
}
