package org.quorumail.auth;

import com.ongres.stringprep.Profile;
import com.ongres.stringprep.Stringprep;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;

/**
 * Names and passwords in the one form in which they are compared: SASLprep, RFC 4013, as SCRAM
 * demands (RFC 5802 §2.2). What RFC 8265 would allow beyond it, SCRAM clients could not prove.
 */
final class SaslPrep {
  /** Octets of a name; an address has at most 254 (RFC 5321 §4.5.3.1.3). */
  static final int MAX_NAME_OCTETS = 255;

  /** Octets of a password: no person's is longer, and hashing a longer one only costs time. */
  static final int MAX_PASSWORD_OCTETS = 1024;

  private static final Profile SASLPREP = Stringprep.getProvider("SASLprep");

  private SaslPrep() {}

  /** A name in lower case; empty when nobody can have it. */
  static Optional<String> name(String text) {
    return prepare(text, MAX_NAME_OCTETS)
        .map(name -> name.toLowerCase(Locale.ROOT))
        .filter(name -> !hasBlank(name));
  }

  /** A password that a client presents; empty when nobody can have it. */
  static Optional<String> password(String text) {
    return prepare(text, MAX_PASSWORD_OCTETS);
  }

  /**
   * A password that will be kept.
   *
   * @throws IllegalArgumentException with one sentence, which does not show it
   */
  static String newPassword(String text) {
    if (octets(text) > MAX_PASSWORD_OCTETS) {
      throw new IllegalArgumentException(
          "a password has at most " + MAX_PASSWORD_OCTETS + " octets");
    }
    String prepared;
    try {
      prepared = SASLPREP.prepareStored(text);
    } catch (RuntimeException e) {
      throw new IllegalArgumentException(
          "the password has characters that SASLprep (RFC 4013) does not allow, such as control"
              + " characters or emoji",
          e);
    }
    if (prepared.isEmpty()) throw new IllegalArgumentException("a password is not empty");
    return prepared;
  }

  static boolean hasBlank(String text) {
    return text.chars().anyMatch(c -> Character.isWhitespace(c) || Character.isISOControl(c));
  }

  private static Optional<String> prepare(String text, int max) {
    if (octets(text) > max) return Optional.empty(); // before any work is done on it
    try {
      String prepared = SASLPREP.prepareQuery(text);
      return prepared.isEmpty() || octets(prepared) > max
          ? Optional.empty()
          : Optional.of(prepared);
    } catch (RuntimeException e) {
      return Optional.empty(); // also the library's stumbling over a text of which nothing is left
    }
  }

  private static int octets(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }
}
