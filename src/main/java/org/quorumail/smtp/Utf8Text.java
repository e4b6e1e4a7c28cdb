package org.quorumail.smtp;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** The decoding of UTF-8 in command lines, which are read as one character per octet (RFC 6531). */
final class Utf8Text {
  private Utf8Text() {}

  static boolean isAscii(String text) {
    for (int i = 0; i < text.length(); i++) if (text.charAt(i) > 0x7F) return false;
    return true;
  }

  /** Decodes the octets; empty when they are not UTF-8 (RFC 3629 §3). */
  static Optional<String> decode(String octets) {
    try {
      byte[] bytes = octets.getBytes(StandardCharsets.ISO_8859_1);
      return Optional.of(
          StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
    } catch (CharacterCodingException e) {
      return Optional.empty();
    }
  }

  /**
   * Whether a character above ASCII is accepted in a local part. RFC 6531 §3.3 allows them all, but
   * invisible characters and those that turn the text around serve only to deceive readers. The two
   * joiners are accepted, since some languages need them.
   */
  static boolean isAllowedInLocalPart(int point) {
    if (point < 0xA0) return false; // ASCII has its own rules; C1 controls
    if (point == 0x200C || point == 0x200D) return true;
    boolean noncharacter = (point & 0xFFFE) == 0xFFFE || (point >= 0xFDD0 && point <= 0xFDEF);
    return !noncharacter && !isBlank(point) && Character.getType(point) != Character.FORMAT;
  }

  /** Whether the character looks like a space: one of any kind, or a filler of Hangul. */
  private static boolean isBlank(int point) {
    boolean filler =
        point == 0x115F || point == 0x1160 || point == 0x3164 || point == 0xFFA0 || point == 0x34F;
    return filler || Character.isSpaceChar(point);
  }
}
