package org.quorumail.tls;

import java.util.Locale;

/**
 * A name of a client certificate: its fingerprint, or an alternative name.
 *
 * @param value in lower case; of a fingerprint 64 hexadecimal digits without colons
 */
public record CertificateName(Kind kind, String value) {
  /**
   * The kind of name. A fingerprint always counts, the others only when an authority signed them.
   */
  public enum Kind {
    SHA256,
    DNS,
    EMAIL
  }

  private static final int MAX_LENGTH = 320; // the longest mail address

  public CertificateName {
    value = value.toLowerCase(Locale.ROOT);
  }

  /** Reads {@code sha256:AB:CD…}, {@code dns:client.example.org} or {@code email:a@example.org}. */
  public static CertificateName parse(String text) {
    int colon = text.indexOf(':');
    String value = text.substring(colon + 1).strip();
    if (colon < 0 || value.isEmpty() || value.length() > MAX_LENGTH) throw malformed(text);
    return switch (text.substring(0, colon).strip().toLowerCase(Locale.ROOT)) {
      case "sha256" -> fingerprint(value);
      case "dns" -> new CertificateName(Kind.DNS, value);
      case "email" -> new CertificateName(Kind.EMAIL, value);
      default -> throw malformed(text);
    };
  }

  private static CertificateName fingerprint(String value) {
    String digits = value.replace(":", "");
    if (digits.matches("[0-9a-fA-F]{64}")) return new CertificateName(Kind.SHA256, digits);
    throw new IllegalArgumentException(
        "a SHA-256 fingerprint has 64 hexadecimal digits (`openssl x509 -fingerprint -sha256`)");
  }

  private static IllegalArgumentException malformed(String text) {
    return new IllegalArgumentException(
        "a certificate is named \"sha256:…\", \"dns:…\" or \"email:…\", not \"" + text + "\"");
  }

  @Override
  public String toString() {
    return kind.name().toLowerCase(Locale.ROOT) + ":" + value;
  }
}
