package org.quorumail.auth;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** LOGIN, as draft-murchison-sasl-login-00 wrote down what clients do: name, then password. */
final class Login implements Mechanism {
  private final Users users;
  private @Nullable String name;

  Login(Users users) {
    this.users = users;
  }

  @Override
  public byte[] prompt() {
    return "Username:".getBytes(StandardCharsets.US_ASCII);
  }

  @Override
  public Step next(byte[] response) {
    Optional<String> text = Passwords.text(response);
    if (text.isEmpty()) return new Step.Malformed("LOGIN is written in UTF-8");
    if (text.get().isEmpty()) return new Step.Malformed("LOGIN wants a name and a password");
    if (name != null) return Passwords.check(users, name, text.get());
    name = text.get();
    return new Step.Challenge("Password:".getBytes(StandardCharsets.US_ASCII));
  }
}
