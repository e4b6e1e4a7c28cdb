package org.quorumail.auth;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.quorumail.auth.SaslMechanism.SaslStep;
import org.quorumail.auth.UserStore.PasswordCheck;

/** The check of a name and a password in clear, shared by PLAIN and LOGIN. */
final class PasswordVerifier {
  private PasswordVerifier() {}

  static SaslStep verify(UserStore users, String name, String password) {
    Optional<String> preparedName = SaslPrep.name(name);
    Optional<String> preparedPassword = SaslPrep.password(password);
    // an impossible name is looked up too: the answer must take as long as any other
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

  /** Decodes UTF-8 strictly; empty when the octets are malformed or contain NUL. */
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
