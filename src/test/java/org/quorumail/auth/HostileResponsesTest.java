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
import org.jose4j.jwk.PublicJsonWebKey;
import org.jose4j.jws.AlgorithmIdentifiers;
import org.jose4j.jws.JsonWebSignature;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.lang.JoseException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.auth.AuthConfig.JwtConfig;
import org.quorumail.auth.SaslMechanism.SaslStep;

/**
 * Random and half-right responses from a seed, which a failure shows: no mechanism throws, runs
 * without end or accepts one. Genuine responses in between are accepted. {@code -Dauth.rounds=N
 * -Dauth.seed=S} sets length and seed.
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

  private static final String PASSWORD = "a password that no piece makes";
  private static final byte[] EXPORTER = new byte[32];

  @TempDir private Path folder;

  @SuppressWarnings("NullAway.Init") // made by the test that needs it
  private PublicJsonWebKey key;

  @Test
  void noResponseBreaksAMechanismOrOpensIt() throws Exception {
    FakeUserStore users = FakeUserStore.with("alice", PASSWORD);
    ChannelBindings tls = new ChannelBindings(java.util.Map.of("tls-exporter", EXPORTER));
    TokenVerifier tokens = tokens();
    List<Supplier<SaslMechanism>> mechanisms =
        List.of(
            () -> new PlainMechanism(users.verifier()),
            () -> new LoginMechanism(users.verifier()),
            () -> new ScramMechanism(users, false, ChannelBindings.none(), false, "nonce"),
            () -> new ScramMechanism(users, true, tls, true, "nonce"),
            () -> new BearerMechanism(tokens, BearerMechanism.Dialect.OAUTHBEARER),
            () -> new BearerMechanism(tokens, BearerMechanism.Dialect.XOAUTH2));
    int[] accepted = new int[mechanisms.size()];
    Random random = new Random(SEED);
    for (int round = 0; round < ROUNDS; round++) {
      SaslMechanism mechanism = mechanisms.get(round % mechanisms.size()).get();
      String where = "seed " + SEED + " round " + round;
      try {
        if (random.nextInt(10) == 0) {
          int which = round % mechanisms.size();
          assertThat(genuine(which, mechanism))
              .as(where)
              .isInstanceOf(SaslStep.Authenticated.class);
          accepted[which]++;
          continue;
        }
        assertThat(end(mechanism, random)).as(where).isNotInstanceOf(SaslStep.Authenticated.class);
      } catch (RuntimeException e) {
        throw new AssertionError(where, e);
      }
    }
    assertThat(accepted).as("genuine exchanges of each mechanism").doesNotContain(0);
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

  @Test
  void aTokenWithAnyOtherCharacterIsRefused() throws Exception {
    TokenVerifier tokens = tokens();
    String token = genuineToken();
    assertThat(tokens.verify(token)).isInstanceOf(TokenVerifier.TokenResult.Valid.class);
    for (int i = 0; i < token.length() - 1; i++) { // the last character has bits that do not count
      char other = token.charAt(i) == 'A' ? 'B' : 'A';
      assertThat(tokens.verify(token.substring(0, i) + other + token.substring(i + 1)))
          .as("character %d", i)
          .isInstanceOf(TokenVerifier.TokenResult.Invalid.class);
    }
  }

  /** A whole exchange of alice, by the number of the mechanism in the list of the test. */
  private SaslStep genuine(int which, SaslMechanism mechanism) throws JoseException {
    return switch (which) {
      case 0 -> mechanism.evaluateResponse(octets("\0alice\0" + PASSWORD));
      case 1 -> {
        mechanism.evaluateResponse(octets("alice"));
        yield mechanism.evaluateResponse(octets(PASSWORD));
      }
      case 2 -> scram(mechanism, new ScramClient("n,,", new byte[0], "alice", PASSWORD, "abc"));
      case 3 ->
          scram(mechanism, new ScramClient("p=tls-exporter,,", EXPORTER, "alice", PASSWORD, "abc"));
      case 4 ->
          mechanism.evaluateResponse(
              octets("n,a=alice,\1host=x\1auth=Bearer " + genuineToken() + "\1\1"));
      default ->
          mechanism.evaluateResponse(octets("user=alice\1auth=Bearer " + genuineToken() + "\1\1"));
    };
  }

  private static SaslStep scram(SaslMechanism mechanism, ScramClient client) {
    SaslStep first = mechanism.evaluateResponse(client.first());
    mechanism.evaluateResponse(client.last(((SaslStep.Challenge) first).data()));
    return mechanism.evaluateResponse(new byte[0]);
  }

  private String genuineToken() throws JoseException {
    JwtClaims claims = new JwtClaims();
    claims.setIssuer("issuer");
    claims.setAudience("mail");
    claims.setExpirationTimeMinutesInTheFuture(10);
    claims.setClaim("email", "alice");
    JsonWebSignature signature = new JsonWebSignature();
    signature.setPayload(claims.toJson());
    signature.setKey(key.getPrivateKey());
    signature.setAlgorithmHeaderValue(AlgorithmIdentifiers.EDDSA);
    return signature.getCompactSerialization();
  }

  private static byte[] octets(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static SaslStep end(SaslMechanism mechanism, Random random) {
    SaslStep step = mechanism.evaluateResponse(response(random));
    for (int i = 0; i < MAX_STEPS; i++) {
      if (!(step instanceof SaslStep.Challenge)) return step;
      step = mechanism.evaluateResponse(response(random));
    }
    throw new IllegalStateException("it does not end");
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
    key = OkpJwkGenerator.generateJwk("Ed25519");
    Files.writeString(keys, new JsonWebKeySet(key).toJson());
    return new TokenVerifier(
        new JwtConfig(keys, "issuer", List.of("mail"), "email", Duration.ofSeconds(60)),
        name -> Optional.empty());
  }
}
