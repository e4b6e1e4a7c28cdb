package org.quorumail.auth;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.quorumail.auth.SaslMechanism.SaslStep;
import org.quorumail.auth.UserStore.PasswordCheck;

/** What PLAIN and LOGIN have in common: a name and a password in clear. */
final class PasswordVerifier {
  private PasswordVerifier() {}

  static SaslStep verify(UserStore users, String name, String password) {
    Optional<String> preparedName = SaslPrep.name(name);
    Optional<String> preparedPassword = SaslPrep.password(password);
    // what nobody can have is still looked up, so that the answer takes as long as any other
    PasswordCheck check =
        users.checkPassword(preparedName.orElse(" "), preparedPassword.orElse("not a password"));
    boolean possible = preparedName.isPresent() && preparedPassword.isPresent();
    return switch (check) {
      case PasswordCheck.Correct right ->
          possible ? new SaslStep.Authenticated(right.user()) : denied(preparedName);
      case PasswordCheck.Wrong wrong -> denied(preparedName);
      case PasswordCheck.Unavailable not -> new SaslStep.Unavailable(not.reason());
    };
  }

  /** UTF-8 without any tolerance; empty when it is none or contains NUL. */
  static Optional<String> decodeUtf8(byte[] octets) {
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(octets)).toString();
      return text.indexOf('\0') >= 0 ? Optional.empty() : Optional.of(text);
    } catch (CharacterCodingException e) {
      return Optional.empty();
    }
  }

  private static SaslStep denied(Optional<String> name) {
    return new SaslStep.Denied(name.orElse(""), "wrong name or password");
  }
}
