package org.quorumail.auth;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.quorumail.auth.SaslMechanism.SaslStep;
import org.quorumail.auth.UserStore.PasswordCheck;

/** The check of a name and a password in clear from one client, shared by PLAIN and LOGIN. */
final class PasswordVerifier {
  private final UserStore users;
  private final PasswordCheckQueue queue;
  private final InetAddress client;

  PasswordVerifier(UserStore users, PasswordCheckQueue queue, InetAddress client) {
    this.users = users;
    this.queue = queue;
    this.client = client;
  }

  SaslStep verify(String name, String password) {
    Optional<String> preparedName = SaslPrep.name(name);
    Optional<String> preparedPassword = SaslPrep.password(password);
    boolean possible = preparedName.isPresent() && preparedPassword.isPresent();
    if (possible) {
      Optional<User> proved = users.recentlyProved(preparedName.get(), preparedPassword.get());
      if (proved.isPresent()) return new SaslStep.Authenticated(proved.get());
    }
    // an impossible name is looked up too: the answer must take as long as any other
    String lookedUp = preparedName.orElse(" ");
    String compared = preparedPassword.orElse("not a password");
    return queue.run(
        client,
        lookedUp,
        () ->
            switch (users.checkPassword(lookedUp, compared)) {
              case PasswordCheck.Correct right ->
                  possible ? new SaslStep.Authenticated(right.user()) : denied(preparedName);
              case PasswordCheck.Wrong wrong -> denied(preparedName);
              case PasswordCheck.Unavailable not -> new SaslStep.Unavailable(not.reason());
            });
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
