package org.quorumail.gossip.plumtree;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.quorumail.gossip.NodeId;

/** Takes the primitive forms of {@link PlumtreeCodec} out of a buffer and trusts none of them. */
final class PlumtreeReader {
  /** Ends the reading of a message that is none; becomes a value at the codec's edge. */
  static final class MalformedException extends Exception {
    private static final long serialVersionUID = 1L;

    MalformedException(String reason) {
      // Without a stack: a flood of garbage must stay cheap.
      super(reason, null, false, false);
    }
  }

  private final ByteBuffer in;

  PlumtreeReader(ByteBuffer in) {
    this.in = in;
  }

  boolean hasMore() {
    return in.hasRemaining();
  }

  int octet() throws MalformedException {
    if (!in.hasRemaining()) throw new MalformedException("cut short");
    return in.get() & 0xff;
  }

  boolean flag() throws MalformedException {
    int octet = octet();
    if (octet > 1) throw new MalformedException("neither yes nor no");
    return octet == 1;
  }

  /** Not negative, and in its shortest form so that one message has one encoding. */
  long number() throws MalformedException {
    long value = 0;
    for (int shift = 0; shift < 63; shift += 7) {
      int octet = octet();
      value |= (long) (octet & 0x7f) << shift;
      if ((octet & 0x80) == 0) {
        if (octet == 0 && shift > 0) throw new MalformedException("number in a long form");
        return value;
      }
    }
    throw new MalformedException("number too large");
  }

  int count(int max) throws MalformedException {
    long count = number();
    if (count > max) throw new MalformedException("count above " + max);
    return (int) count;
  }

  long word() throws MalformedException {
    if (in.remaining() < Long.BYTES) throw new MalformedException("cut short");
    long value = 0;
    for (int i = 0; i < Long.BYTES; i++) value = (value << 8) | (in.get() & 0xff);
    return value;
  }

  byte[] bytes(int length) throws MalformedException {
    if (in.remaining() < length) throw new MalformedException("cut short");
    byte[] bytes = new byte[length];
    in.get(bytes);
    return bytes;
  }

  NodeId node() throws MalformedException {
    String name = nameOrEmpty();
    if (name.isEmpty()) throw new MalformedException("no node id");
    return new NodeId(name);
  }

  String nameOrEmpty() throws MalformedException {
    String name = new String(bytes(octet()), StandardCharsets.US_ASCII);
    if (name.isEmpty()) return name;
    try {
      return new NodeId(name).value();
    } catch (IllegalArgumentException e) {
      throw new MalformedException("not a node id");
    }
  }
}
