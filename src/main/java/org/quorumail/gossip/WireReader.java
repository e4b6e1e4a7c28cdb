package org.quorumail.gossip;

import java.nio.ByteBuffer;

/** The elements of gossip's wire format, read from bytes that nobody vouches for. */
public final class WireReader {
  private final ByteBuffer in;

  public WireReader(ByteBuffer in) {
    this.in = in;
  }

  /** Says why the bytes are no message; stays within the package's codecs. */
  public static final class MalformedException extends Exception {
    private static final long serialVersionUID = 1;
    private final String reason;

    /** Without a stack trace: a flood of bad frames must stay cheap. */
    public MalformedException(String reason) {
      super(reason, null, false, false);
      this.reason = reason;
    }

    public String reason() {
      return reason;
    }
  }

  public boolean hasMore() {
    return in.hasRemaining();
  }

  public int remaining() {
    return in.remaining();
  }

  public int octet() throws MalformedException {
    need(1);
    return in.get() & 0xff;
  }

  public int fixed16() throws MalformedException {
    need(2);
    return in.getShort() & 0xffff;
  }

  public long fixed64() throws MalformedException {
    need(8);
    return in.getLong();
  }

  /** 0 to 2^63-1. */
  public long number() throws MalformedException {
    long number = 0;
    for (int shift = 0; shift < 63; shift += 7) {
      int group = octet();
      number |= (long) (group & 0x7f) << shift;
      if (group < 0x80) return number;
    }
    throw new MalformedException("number beyond 63 bits");
  }

  public int number(int max) throws MalformedException {
    long number = number();
    if (number > max) throw new MalformedException("length " + number + " above " + max);
    return (int) number;
  }

  public byte[] bytes(int length) throws MalformedException {
    need(length);
    byte[] bytes = new byte[length];
    in.get(bytes);
    return bytes;
  }

  public NodeId id() throws MalformedException {
    int length = octet();
    if (length > NodeId.MAX_LENGTH) throw new MalformedException("id of " + length + " characters");
    need(length);
    StringBuilder value = new StringBuilder(length);
    for (int i = 0; i < length; i++) value.append((char) (in.get() & 0xff));
    String text = value.toString();
    if (!NodeId.isValid(text)) throw new MalformedException("characters of an id");
    return new NodeId(text);
  }

  public NodeAddress address() throws MalformedException {
    int family = octet();
    if (family != 4 && family != 6) throw new MalformedException("address family " + family);
    byte[] raw = bytes(family == 4 ? 4 : 16);
    return NodeAddress.of(raw, fixed16());
  }

  private void need(int length) throws MalformedException {
    if (in.remaining() < length) throw new MalformedException("cut short");
  }
}
