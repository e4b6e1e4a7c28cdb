package org.quorumail.policy.milter;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * One packet of a milter: a command and its data, with readers for the data. In a text each
 * character is one octet.
 */
record MilterPacket(byte command, ByteBuffer data) {
  int number() throws MilterException {
    if (data.remaining() < 4) throw malformed();
    return data.getInt();
  }

  /** Reads a text that ends with a zero octet. */
  String text() throws MilterException {
    for (int i = data.position(); i < data.limit(); i++) {
      if (data.get(i) != 0) continue;
      byte[] octets = new byte[i - data.position()];
      data.get(octets);
      data.get();
      return new String(octets, StandardCharsets.ISO_8859_1);
    }
    throw malformed();
  }

  /** Reads all remaining octets. */
  byte[] rest() {
    byte[] rest = new byte[data.remaining()];
    data.get(rest);
    return rest;
  }

  MilterException malformed() {
    char letter = command > ' ' && command < 0x7F ? (char) command : '?';
    return new MilterException("its packet '" + letter + "' is malformed");
  }
}
