package org.quorumail.auth;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.auth.AuthConfig.JwtConfig;
import org.quorumail.auth.SaslMechanism.SaslStep;
import org.quorumail.auth.TokenVerifier.TokenResult;

/**
 * A target of Jazzer: messages of a client that logs in. The first octet chooses the reader: a
 * token, or one of the mechanisms, which gets the rest as its responses, one per zero octet.
 */
public final class HostileTokens {
  /** The name in the one token that the kept key has signed; its private part was thrown away. */
  private static final String NAME = "alice@example.org";

  private static final Path KEYS = Path.of("src/test/resources/fuzz/jwks.json");
  private static final int MAX_RESPONSES = 6;

  private static @Nullable TokenVerifier verifier;
  private static final FakeUserStore USERS = FakeUserStore.with("alice", "a password");

  private HostileTokens() {}

  public static void fuzzerTestOneInput(byte[] input) throws IOException {
    accepts(input);
  }

  /** Reads the input, and returns whether it logs somebody in. */
  public static boolean accepts(byte[] input) throws IOException {
    if (input.length == 0) return false;
    byte[] rest = Arrays.copyOfRange(input, 1, input.length);
    return switch (Math.floorMod(input[0], 6)) {
      case 0 -> token(new String(rest, StandardCharsets.UTF_8));
      case 1 -> exchange(new BearerMechanism(tokens(), BearerMechanism.Dialect.OAUTHBEARER), rest);
      case 2 -> exchange(new BearerMechanism(tokens(), BearerMechanism.Dialect.XOAUTH2), rest);
      case 3 -> exchange(new PlainMechanism(USERS.verifier()), rest);
      case 4 -> exchange(new LoginMechanism(USERS.verifier()), rest);
      default -> {
        ScramMechanism scram =
            new ScramMechanism(USERS, false, ChannelBindings.none(), false, "nonce");
        yield exchange(scram, rest);
      }
    };
  }

  private static boolean token(String token) throws IOException {
    return switch (tokens().verify(token)) {
      case TokenResult.Valid valid -> {
        if (!valid.user().name().equals(NAME)) throw new IllegalStateException("a forged token");
        yield true;
      }
      case TokenResult.Invalid invalid -> {
        if (invalid.reason().isEmpty()) throw new IllegalStateException("no reason");
        yield false;
      }
    };
  }

  /** PLAIN has zero octets in its message, so it gets all of it as one response. */
  private static boolean exchange(SaslMechanism mechanism, byte[] bytes) {
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    List<String> responses =
        mechanism instanceof PlainMechanism ? List.of(text) : List.of(text.split("\0", -1));
    SaslStep step = new SaslStep.Challenge(new byte[0]);
    for (int i = 0; i < MAX_RESPONSES && step instanceof SaslStep.Challenge; i++) {
      String response = i < responses.size() ? responses.get(i) : "";
      step = mechanism.evaluateResponse(response.getBytes(StandardCharsets.ISO_8859_1));
    }
    if (step instanceof SaslStep.Challenge) throw new IllegalStateException("it does not end");
    return step instanceof SaslStep.Authenticated;
  }

  private static TokenVerifier tokens() throws IOException {
    TokenVerifier open = verifier;
    if (open != null) return open;
    JwtConfig config =
        new JwtConfig(KEYS, "issuer", List.of("mail"), "email", Duration.ofSeconds(60));
    TokenVerifier made = new TokenVerifier(config, name -> Optional.empty());
    verifier = made;
    return made;
  }
}
