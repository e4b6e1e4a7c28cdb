package org.quorumail.auth;

import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** The mechanism PLAIN, RFC 4616 §2: {@code [authzid] NUL authcid NUL passwd} in one response. */
final class PlainMechanism implements SaslMechanism {
  private final PasswordVerifier passwords;

  PlainMechanism(PasswordVerifier passwords) {
    this.passwords = passwords;
  }

  @Override
  public SaslStep evaluateResponse(byte[] response) {
    String[] parts = new String(response, StandardCharsets.ISO_8859_1).split("\0", -1);
    if (parts.length != 3) return new SaslStep.Malformed("PLAIN has two NULs");
    Optional<String> authzid = text(parts[0]);
    Optional<String> name = text(parts[1]);
    Optional<String> password = text(parts[2]);
    if (authzid.isEmpty() || name.isEmpty() || password.isEmpty()) {
      return new SaslStep.Malformed("PLAIN is UTF-8");
    }
    if (name.get().isEmpty() || password.get().isEmpty()) {
      return new SaslStep.Malformed("PLAIN needs a name and a password");
    }
    SaslStep step = passwords.verify(name.get(), password.get());
    boolean foreign = !authzid.get().isEmpty() && !sameName(authzid.get(), name.get());
    if (foreign && step instanceof SaslStep.Authenticated proved) {
      return new SaslStep.Denied(proved.user().name(), "asks to act as another user");
    }
    return step;
  }

  static boolean sameName(String authzid, String name) {
    return SaslPrep.name(authzid).equals(SaslPrep.name(name));
  }

  private static Optional<String> text(String octets) {
    return PasswordVerifier.decodeUtf8(octets.getBytes(StandardCharsets.ISO_8859_1));
  }
}
