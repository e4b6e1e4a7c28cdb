package org.quorumail.smtp;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** UTF-8 in command lines, which are read as one character per octet (RFC 6531 §3.3). */
final class Utf8Text {
  private Utf8Text() {}

  static boolean ascii(String text) {
    for (int i = 0; i < text.length(); i++) if (text.charAt(i) > 0x7F) return false;
    return true;
  }

  /** The text that the octets spell; empty when they are not UTF-8 (RFC 3629 §3). */
  static Optional<String> decode(String octets) {
    try {
      byte[] bytes = octets.getBytes(StandardCharsets.ISO_8859_1);
      return Optional.of(
          StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
    } catch (CharacterCodingException e) {
      return Optional.empty();
    }
  }

  static int octets(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }

  /**
   * Whether a character above ASCII may stand in a local part. RFC 6531 §3.3 allows them all; those
   * that are not seen, or turn the text around, serve only to deceive who reads an address.
   */
  static boolean mayStandInLocalPart(char c) {
    if (c < 0xA0) return false; // ASCII has its own rules; C1 controls
    boolean invisible = c == 0xAD || c == 0x200B || c == 0xFEFF || c == 0x2028 || c == 0x2029;
    boolean turns =
        c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F);
    boolean none = c >= 0xFFFE || (c >= 0xFDD0 && c <= 0xFDEF);
    return !invisible && !turns && !none;
  }
}
