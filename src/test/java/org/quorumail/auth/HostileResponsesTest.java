package org.quorumail.auth;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.Supplier;
import org.jose4j.jwk.JsonWebKeySet;
import org.jose4j.jwk.OkpJwkGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.auth.AuthConfig.JwtConfig;
import org.quorumail.auth.SaslMechanism.SaslStep;

/**
 * Random and half-right responses, from a seed that is printed when one breaks something: no
 * mechanism throws, goes on for ever or lets anybody in. {@code -Dauth.rounds=N -Dauth.seed=S}
 * makes it longer and other.
 */
class HostileResponsesTest {
  private static final int ROUNDS = Integer.getInteger("auth.rounds", 4000);
  private static final long SEED = Long.getLong("auth.seed", 20261121);
  private static final int MAX_STEPS = 6;

  /** Pieces from which something close to a message can come. */
  private static final List<String> PIECES =
      List.of(
          "n,,",
          "y,,",
          "p=tls-exporter,,",
          "n=alice",
          ",r=abc",
          "r=abcnonce",
          "c=biws",
          ",p=",
          "AAAA",
          "=2C",
          "=",
          ",",
          "\0",
          "\1",
          "\1\1",
          "a=alice,",
          "m=x,",
          "auth=Bearer ",
          "user=",
          "eyJhbGciOiJub25lIn0",
          ".",
          "eyJhbGciOiJFZERTQSIsImtpZCI6ImEifQ",
          "{\"",
          "[",
          "alice",
          "é",
          "\u00AD",
          "\uD800",
          "\u06271",
          "\uFFFF",
          " ",
          "\r\n",
          "%",
          "x".repeat(300));

  @TempDir private Path folder;

  @Test
  void noResponseBreaksAMechanismOrOpensIt() throws Exception {
    FakeUserStore users = FakeUserStore.with("alice", "a password that no piece makes");
    ChannelBindings tls = new ChannelBindings(java.util.Map.of("tls-exporter", new byte[32]));
    TokenVerifier tokens = tokens();
    List<Supplier<SaslMechanism>> mechanisms =
        List.of(
            () -> new PlainMechanism(users),
            () -> new LoginMechanism(users),
            () -> new ScramMechanism(users, false, ChannelBindings.none(), false, "nonce"),
            () -> new ScramMechanism(users, true, tls, true, "nonce"),
            () -> new BearerMechanism(tokens, BearerMechanism.Dialect.OAUTHBEARER),
            () -> new BearerMechanism(tokens, BearerMechanism.Dialect.XOAUTH2));
    Random random = new Random(SEED);
    for (int round = 0; round < ROUNDS; round++) {
      SaslMechanism mechanism = mechanisms.get(round % mechanisms.size()).get();
      String where = "seed " + SEED + " round " + round;
      try {
        assertThat(end(mechanism, random)).as(where).isNotInstanceOf(SaslStep.Authenticated.class);
      } catch (RuntimeException e) {
        throw new AssertionError(where, e);
      }
    }
  }

  @Test
  void noTokenBreaksTheCheck() throws Exception {
    TokenVerifier tokens = tokens();
    Random random = new Random(SEED);
    for (int round = 0; round < ROUNDS; round++) {
      String token = new String(response(random), StandardCharsets.UTF_8);
      assertThat(tokens.verify(token))
          .as("seed %d round %d", SEED, round)
          .isInstanceOf(TokenVerifier.TokenResult.Invalid.class);
    }
  }

  private static SaslStep end(SaslMechanism mechanism, Random random) {
    SaslStep step = mechanism.evaluateResponse(response(random));
    for (int i = 0; i < MAX_STEPS; i++) {
      if (!(step instanceof SaslStep.Challenge)) return step;
      step = mechanism.evaluateResponse(response(random));
    }
    throw new IllegalStateException("it goes on for ever");
  }

  private static byte[] response(Random random) {
    if (random.nextInt(8) == 0) {
      byte[] noise = new byte[random.nextInt(200)];
      random.nextBytes(noise);
      return noise;
    }
    StringBuilder text = new StringBuilder();
    int pieces = random.nextInt(12);
    for (int i = 0; i < pieces; i++) text.append(PIECES.get(random.nextInt(PIECES.size())));
    byte[] octets = text.toString().getBytes(StandardCharsets.UTF_8);
    if (octets.length > 0 && random.nextInt(4) == 0) {
      octets[random.nextInt(octets.length)] = (byte) random.nextInt(256);
    }
    return octets;
  }

  private TokenVerifier tokens() throws Exception {
    Path keys = folder.resolve("jwks.json");
    Files.writeString(keys, new JsonWebKeySet(OkpJwkGenerator.generateJwk("Ed25519")).toJson());
    return new TokenVerifier(
        new JwtConfig(keys, "issuer", List.of("mail"), "email", Duration.ofSeconds(60)),
        name -> Optional.empty());
  }
}
