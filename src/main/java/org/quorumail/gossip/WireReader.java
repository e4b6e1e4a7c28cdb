package org.quorumail.gossip;

import java.nio.ByteBuffer;

/** The elements of gossip's wire format, read from bytes that nobody vouches for. */
final class WireReader {
  private final ByteBuffer in;

  WireReader(ByteBuffer in) {
    this.in = in;
  }

  /** Says why the bytes are no message; stays within the package's codecs. */
  static final class Malformed extends Exception {
    private static final long serialVersionUID = 1;
    private final String reason;

    /** Without a stack trace: a flood of bad frames must stay cheap. */
    Malformed(String reason) {
      super(reason, null, false, false);
      this.reason = reason;
    }

    String reason() {
      return reason;
    }
  }

  boolean hasMore() {
    return in.hasRemaining();
  }

  int remaining() {
    return in.remaining();
  }

  int octet() throws Malformed {
    need(1);
    return in.get() & 0xff;
  }

  int fixed16() throws Malformed {
    need(2);
    return in.getShort() & 0xffff;
  }

  long fixed64() throws Malformed {
    need(8);
    return in.getLong();
  }

  /** 0 to 2^63-1. */
  long number() throws Malformed {
    long number = 0;
    for (int shift = 0; shift < 63; shift += 7) {
      int group = octet();
      number |= (long) (group & 0x7f) << shift;
      if (group < 0x80) return number;
    }
    throw new Malformed("number beyond 63 bits");
  }

  int number(int max) throws Malformed {
    long number = number();
    if (number > max) throw new Malformed("length " + number + " above " + max);
    return (int) number;
  }

  byte[] bytes(int length) throws Malformed {
    need(length);
    byte[] bytes = new byte[length];
    in.get(bytes);
    return bytes;
  }

  NodeId id() throws Malformed {
    int length = octet();
    if (length > NodeId.MAX_LENGTH) throw new Malformed("id of " + length + " characters");
    need(length);
    StringBuilder value = new StringBuilder(length);
    for (int i = 0; i < length; i++) value.append((char) (in.get() & 0xff));
    String text = value.toString();
    if (!NodeId.isValid(text)) throw new Malformed("characters of an id");
    return new NodeId(text);
  }

  Address address() throws Malformed {
    int family = octet();
    if (family != 4 && family != 6) throw new Malformed("address family " + family);
    byte[] raw = bytes(family == 4 ? 4 : 16);
    return Address.of(raw, fixed16());
  }

  private void need(int length) throws Malformed {
    if (in.remaining() < length) throw new Malformed("cut short");
  }
}
