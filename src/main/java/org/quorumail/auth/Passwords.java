package org.quorumail.auth;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.quorumail.auth.Mechanism.Step;
import org.quorumail.auth.Users.PasswordCheck;

/** What PLAIN and LOGIN have in common: a name and a password in clear. */
final class Passwords {
  private Passwords() {}

  static Step check(Users users, String name, String password) {
    Optional<String> preparedName = Prepared.name(name);
    Optional<String> preparedPassword = Prepared.password(password);
    // what nobody can have is still looked up, so that the answer takes as long as any other
    PasswordCheck check =
        users.check(preparedName.orElse(" "), preparedPassword.orElse("not a password"));
    boolean possible = preparedName.isPresent() && preparedPassword.isPresent();
    return switch (check) {
      case PasswordCheck.Right right ->
          possible ? new Step.Authenticated(right.user()) : denied(preparedName);
      case PasswordCheck.Wrong wrong -> denied(preparedName);
      case PasswordCheck.Unavailable not -> new Step.Unavailable(not.reason());
    };
  }

  /** UTF-8 without any tolerance; empty when it is none or contains NUL. */
  static Optional<String> text(byte[] octets) {
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(octets)).toString();
      return text.indexOf('\0') >= 0 ? Optional.empty() : Optional.of(text);
    } catch (CharacterCodingException e) {
      return Optional.empty();
    }
  }

  private static Step denied(Optional<String> name) {
    return new Step.Denied(name.orElse(""), "wrong name or password");
  }
}
