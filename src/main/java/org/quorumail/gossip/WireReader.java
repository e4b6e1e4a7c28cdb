package org.quorumail.gossip;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** A reader for the elements of gossip's wire formats; it trusts none of the bytes. */
public final class WireReader {
  private final ByteBuffer in;

  /** Reads what remains of the buffer, and leaves the buffer as it was. */
  public WireReader(ByteBuffer bytes) {
    this.in = bytes.duplicate();
  }

  /** Ends the reading of malformed bytes; the codecs turn it into a value. */
  public static final class MalformedException extends Exception {
    private static final long serialVersionUID = 1;
    private final String reason;

    /**
     * Without a stack trace: a flood of malformed frames must stay cheap.
     *
     * @param reason a few words for the log, without any of the bytes
     */
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
    requireRemaining(1);
    return in.get() & 0xff;
  }

  public boolean flag() throws MalformedException {
    int octet = octet();
    if (octet > 1) throw new MalformedException("flag is neither 0 nor 1");
    return octet == 1;
  }

  public int fixed16() throws MalformedException {
    requireRemaining(2);
    return in.getShort() & 0xffff;
  }

  public long fixed64() throws MalformedException {
    requireRemaining(8);
    return in.getLong();
  }

  /** Reads 0 to 2^63-1, in its shortest form only, so that one message has one encoding. */
  public long number() throws MalformedException {
    long number = 0;
    for (int shift = 0; shift < 63; shift += 7) {
      int group = octet();
      number |= (long) (group & 0x7f) << shift;
      if (group >= 0x80) continue;
      if (group == 0 && shift > 0) throw new MalformedException("number in a long form");
      return number;
    }
    throw new MalformedException("number beyond 63 bits");
  }

  public int number(int max) throws MalformedException {
    long number = number();
    if (number > max) throw new MalformedException("number " + number + " above " + max);
    return (int) number;
  }

  public byte[] bytes(int length) throws MalformedException {
    requireRemaining(length);
    byte[] bytes = new byte[length];
    in.get(bytes);
    return bytes;
  }

  public NodeId id() throws MalformedException {
    String value = idOrEmpty();
    if (value.isEmpty()) throw new MalformedException("empty id");
    return new NodeId(value);
  }

  /** Reads the value of an id, or the empty text. */
  public String idOrEmpty() throws MalformedException {
    int length = octet();
    if (length > NodeId.MAX_LENGTH) throw new MalformedException("id of " + length + " characters");
    String value = new String(bytes(length), StandardCharsets.ISO_8859_1);
    if (length > 0 && !NodeId.isValid(value)) throw new MalformedException("characters of an id");
    return value;
  }

  public NodeAddress address() throws MalformedException {
    int family = octet();
    if (family != 4 && family != 6) throw new MalformedException("address family " + family);
    byte[] raw = bytes(family == 4 ? 4 : 16);
    return NodeAddress.of(raw, fixed16());
  }

  private void requireRemaining(int length) throws MalformedException {
    if (in.remaining() < length) throw new MalformedException("cut short");
  }
}
