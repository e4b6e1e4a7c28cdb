package org.quorumail.auth;

import com.ongres.stringprep.Profile;
import com.ongres.stringprep.Stringprep;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;

/**
 * The form of names and passwords for comparison: SASLprep, RFC 4013, as SCRAM demands (RFC 5802
 * §2.2). RFC 8265 allows more, but SCRAM clients could not prove such passwords.
 */
final class SaslPrep {
  /** The octets of a name; an address has at most 254 (RFC 5321 §4.5.3.1.3). */
  static final int MAX_NAME_OCTETS = 255;

  /** The octets of a password; a longer one only costs time to hash. */
  static final int MAX_PASSWORD_OCTETS = 1024;

  private static final Profile SASLPREP = Stringprep.getProvider("SASLprep");

  private SaslPrep() {}

  /** A prepared name in lower case; empty when the name is not legal. */
  static Optional<String> name(String text) {
    return prepare(text, MAX_NAME_OCTETS)
        .map(name -> name.toLowerCase(Locale.ROOT))
        .filter(name -> !hasBlank(name));
  }

  /** A prepared password from a client; empty when the password is not legal. */
  static Optional<String> password(String text) {
    return prepare(text, MAX_PASSWORD_OCTETS);
  }

  /**
   * A prepared password that will be stored.
   *
   * @throws IllegalArgumentException with one sentence that does not contain the password
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
    if (octets(text) > max) return Optional.empty(); // before any work on it
    try {
      String prepared = SASLPREP.prepareQuery(text);
      return prepared.isEmpty() || octets(prepared) > max
          ? Optional.empty()
          : Optional.of(prepared);
    } catch (RuntimeException e) {
      return Optional.empty(); // the library also throws for a text of which nothing is left
    }
  }

  private static int octets(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }
}
