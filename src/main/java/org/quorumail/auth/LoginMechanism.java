package org.quorumail.auth;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The mechanism LOGIN, draft-murchison-sasl-login-00: the name, then the password. */
final class LoginMechanism implements SaslMechanism {
  private final PasswordVerifier passwords;
  private @Nullable String name;

  LoginMechanism(PasswordVerifier passwords) {
    this.passwords = passwords;
  }

  @Override
  public byte[] initialChallenge() {
    return "Username:".getBytes(StandardCharsets.US_ASCII);
  }

  @Override
  public SaslStep evaluateResponse(byte[] response) {
    Optional<String> text = PasswordVerifier.decodeUtf8(response);
    if (text.isEmpty()) return new SaslStep.Malformed("LOGIN is UTF-8");
    if (text.get().isEmpty()) return new SaslStep.Malformed("LOGIN needs a name and a password");
    if (name != null) return passwords.verify(name, text.get());
    name = text.get();
    return new SaslStep.Challenge("Password:".getBytes(StandardCharsets.US_ASCII));
  }
}
