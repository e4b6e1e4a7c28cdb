package org.quorumail.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jose4j.jwk.EcJwkGenerator;
import org.jose4j.jwk.JsonWebKeySet;
import org.jose4j.jwk.OkpJwkGenerator;
import org.jose4j.jwk.PublicJsonWebKey;
import org.jose4j.jwk.RsaJwkGenerator;
import org.jose4j.jws.AlgorithmIdentifiers;
import org.jose4j.jws.JsonWebSignature;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.jwt.NumericDate;
import org.jose4j.keys.EllipticCurves;
import org.jose4j.keys.HmacKey;
import org.jose4j.lang.JoseException;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.auth.AuthConfig.JwtConfig;
import org.quorumail.auth.SaslMechanism.SaslStep;
import org.quorumail.auth.TokenVerifier.TokenResult;

/** Signed tokens, and the two mechanisms that carry them. */
class TokenVerifierTest {
  private static PublicJsonWebKey rsa;
  private static PublicJsonWebKey ec;
  private static PublicJsonWebKey ed;

  @TempDir private Path folder;
  private TokenVerifier tokens;

  @BeforeAll
  static void keys() throws JoseException {
    rsa = RsaJwkGenerator.generateJwk(2048);
    ec = EcJwkGenerator.generateJwk(EllipticCurves.P256);
    ed = OkpJwkGenerator.generateJwk("Ed25519");
    rsa.setKeyId("rsa");
    ec.setKeyId("ec");
    ed.setKeyId("ed");
  }

  @BeforeEach
  void open() throws IOException {
    Files.writeString(file(), new JsonWebKeySet(List.of(rsa, ec, ed)).toJson());
    tokens = tokens();
  }

  @Test
  void signaturesOfThreeKindsCount() throws Exception {
    assertGood(signed(rsa, AlgorithmIdentifiers.RSA_USING_SHA256, claims -> {}));
    assertGood(signed(ec, AlgorithmIdentifiers.ECDSA_USING_P256_CURVE_AND_SHA256, claims -> {}));
    assertGood(signed(ed, AlgorithmIdentifiers.EDDSA, claims -> {}));
  }

  @Test
  void issuerAudienceAndTimeMustFit() throws Exception {
    assertBad(rsaSigned(claims -> claims.setIssuer("https://other.example")));
    assertBad(rsaSigned(claims -> claims.unsetClaim("iss")));
    assertBad(rsaSigned(claims -> claims.setAudience("web")));
    assertBad(rsaSigned(claims -> claims.unsetClaim("aud")));
    assertBad(rsaSigned(claims -> claims.unsetClaim("exp")));
    assertBad(rsaSigned(claims -> claims.setExpirationTime(secondsFromNow(-3600))));
    assertBad(rsaSigned(claims -> claims.setNotBefore(secondsFromNow(3600))));
    assertBad(rsaSigned(claims -> claims.unsetClaim("email")));
    assertBad(rsaSigned(claims -> claims.setClaim("email", 7)));
    assertBad(rsaSigned(claims -> claims.setClaim("email", "a b")));
    assertGood(rsaSigned(claims -> claims.setAudience("web", "mail")));
  }

  @Test
  void anAddressThatTheIssuerHasNotVerifiedIsRefused() throws Exception {
    assertBad(rsaSigned(claims -> claims.setClaim("email_verified", false)));
    assertBad(rsaSigned(claims -> claims.setClaim("email_verified", "false")));
    assertGood(rsaSigned(claims -> claims.setClaim("email_verified", true)));
    assertGood(rsaSigned(claims -> claims.setClaim("email_verified", "true")));
  }

  @Test
  void aTokenOfAnotherTypeIsRefused() throws Exception {
    assertBad(typed("logout+jwt"));
    assertBad(typed("dpop+jwt"));
    assertGood(typed("JWT"));
    assertGood(typed("application/at+jwt"));
  }

  private static String typed(String type) throws JoseException {
    JwtClaims claims = new JwtClaims();
    claims.setIssuer("https://login.example.org");
    claims.setAudience("mail");
    claims.setExpirationTime(secondsFromNow(600));
    claims.setClaim("email", "alice@example.org");
    JsonWebSignature signature = new JsonWebSignature();
    signature.setPayload(claims.toJson());
    signature.setKey(rsa.getPrivateKey());
    signature.setKeyIdHeaderValue(rsa.getKeyId());
    signature.setAlgorithmHeaderValue(AlgorithmIdentifiers.RSA_USING_SHA256);
    signature.setHeader("typ", type);
    return signature.getCompactSerialization();
  }

  @Test
  void clocksMayDifferByTheLeeway() throws Exception {
    assertGood(rsaSigned(claims -> claims.setExpirationTime(secondsFromNow(-20))));
    assertGood(rsaSigned(claims -> claims.setNotBefore(secondsFromNow(30))));
  }

  @Test
  void whatTheIssuersKeysDidNotSignIsRefused() throws Exception {
    PublicJsonWebKey stranger = RsaJwkGenerator.generateJwk(2048);
    stranger.setKeyId("rsa");
    assertBad(signed(stranger, AlgorithmIdentifiers.RSA_USING_SHA256, claims -> {}));
    stranger.setKeyId("unknown");
    assertBad(signed(stranger, AlgorithmIdentifiers.RSA_USING_SHA256, claims -> {}));
    String good = rsaSigned(claims -> {});
    String[] parts = good.split("\\.");
    String changed =
        Base64.getUrlEncoder()
            .withoutPadding()
            .encodeToString(
                new String(Base64.getUrlDecoder().decode(parts[1]), StandardCharsets.UTF_8)
                    .replace("alice", "mallo")
                    .getBytes(StandardCharsets.UTF_8));
    assertBad(parts[0] + "." + changed + "." + parts[2]);
    assertBad(parts[0] + "." + parts[1] + ".");
  }

  /** RFC 8725 §2.1: "none", and a public key used as a shared secret. */
  @Test
  void algorithmsThatAnyoneCouldUseAreRefused() throws Exception {
    JsonWebSignature none = new JsonWebSignature();
    none.setAlgorithmConstraints(org.jose4j.jwa.AlgorithmConstraints.NO_CONSTRAINTS);
    none.setAlgorithmHeaderValue(AlgorithmIdentifiers.NONE);
    none.setPayload(claims(c -> {}).toJson());
    assertBad(none.getCompactSerialization());
    JsonWebSignature hmac = new JsonWebSignature();
    hmac.setAlgorithmHeaderValue(AlgorithmIdentifiers.HMAC_SHA256);
    hmac.setKeyIdHeaderValue("rsa");
    hmac.setKey(new HmacKey(rsa.getPublicKey().getEncoded()));
    hmac.setPayload(claims(c -> {}).toJson());
    assertBad(hmac.getCompactSerialization());
    assertBad(signed(rsa, AlgorithmIdentifiers.RSA_USING_SHA512, c -> {}));
  }

  @Test
  void anEncryptedTokenIsRefused() throws Exception {
    org.jose4j.jwe.JsonWebEncryption jwe = new org.jose4j.jwe.JsonWebEncryption();
    jwe.setAlgorithmHeaderValue("RSA-OAEP-256");
    jwe.setEncryptionMethodHeaderParameter("A128GCM");
    jwe.setKey(rsa.getPublicKey());
    jwe.setKeyIdHeaderValue("rsa");
    jwe.setPayload(claims(c -> {}).toJson());
    assertBad(jwe.getCompactSerialization());
  }

  @Test
  void whatIsNoTokenIsRefused() {
    for (String text :
        List.of("", ".", "..", "...", "....", "a.b.c", "e30.e30.e30", "x".repeat(100_000), "\0")) {
      assertBad(text);
    }
  }

  @Test
  void aUserOfTheFileHasHisAddresses() throws Exception {
    User known = new User("alice@example.org", Set.of("@example.org"));
    TokenVerifier with = new TokenVerifier(config(), name -> Optional.of(known));
    assertThat(with.verify(rsaSigned(c -> {}))).isEqualTo(new TokenResult.Valid(known));
  }

  @Test
  void keysThatCannotBeReadAreNamed() throws Exception {
    for (String json : List.of("", "{}", "{\"keys\":[]}", "[]", "nonsense")) {
      Files.writeString(file(), json);
      assertThatThrownBy(this::tokens)
          .isInstanceOf(IOException.class)
          .hasMessageContaining("auth.jwt.keys")
          .hasMessageContaining(file().toString());
    }
  }

  @Test
  void oauthbearerCarriesATokenAndTellsARefusal() throws Exception {
    String good = rsaSigned(c -> {});
    assertThat(oauth("n,a=alice@example.org,", good)).isInstanceOf(SaslStep.Authenticated.class);
    assertThat(oauth("n,,", good)).isInstanceOf(SaslStep.Authenticated.class);
    assertThat(oauth("n,a=Alice@Example.org,", good)).isInstanceOf(SaslStep.Authenticated.class);
    BearerMechanism bearer = new BearerMechanism(tokens, BearerMechanism.Dialect.OAUTHBEARER);
    SaslStep refusal =
        bearer.evaluateResponse(octets("n,a=bob,\1host=x\1port=25\1auth=Bearer " + good + "\1\1"));
    assertThat(((SaslStep.Challenge) refusal).data())
        .asString()
        .isEqualTo("{\"status\":\"invalid_token\",\"schemes\":\"bearer\"}");
    assertThat(bearer.evaluateResponse(new byte[] {1}))
        .isEqualTo(new SaslStep.Denied("alice@example.org", "the token belongs to another user"));
  }

  @Test
  void xoauth2CarriesATokenAndTellsARefusal() throws Exception {
    BearerMechanism good = new BearerMechanism(tokens, BearerMechanism.Dialect.XOAUTH2);
    String token = rsaSigned(c -> {});
    assertThat(
            good.evaluateResponse(octets("user=alice@example.org\1auth=Bearer " + token + "\1\1")))
        .isInstanceOf(SaslStep.Authenticated.class);
    BearerMechanism bad = new BearerMechanism(tokens, BearerMechanism.Dialect.XOAUTH2);
    SaslStep refusal =
        bad.evaluateResponse(octets("user=alice@example.org\1auth=Bearer nonsense\1\1"));
    assertThat(((SaslStep.Challenge) refusal).data()).asString().contains("\"status\":\"401\"");
    assertThat(bad.evaluateResponse(new byte[0])).isInstanceOf(SaslStep.Denied.class);
  }

  @Test
  void whatIsNoBearerMessageIsMalformed() throws Exception {
    String token = rsaSigned(c -> {});
    for (String message :
        List.of(
            "",
            "n,,",
            "n,,\1",
            "n,,\1\1",
            "n,,\1auth=Bearer " + token,
            "n,,\1auth=Bearer " + token + "\1",
            "p=tls-unique,,\1auth=Bearer " + token + "\1\1",
            "n,alice,\1auth=Bearer " + token + "\1\1",
            "n,a=al=ice,\1auth=Bearer " + token + "\1\1",
            "n,,x\1auth=Bearer " + token + "\1\1",
            "n,,\1auth=Basic " + token + "\1\1",
            "n,,\1auth=Bearer x\1auth=Bearer " + token + "\1\1")) {
      BearerMechanism bearer = new BearerMechanism(tokens, BearerMechanism.Dialect.OAUTHBEARER);
      assertThat(bearer.evaluateResponse(octets(message)))
          .as(message)
          .isInstanceOf(SaslStep.Malformed.class);
    }
  }

  private SaslStep oauth(String header, String token) {
    BearerMechanism bearer = new BearerMechanism(tokens, BearerMechanism.Dialect.OAUTHBEARER);
    return bearer.evaluateResponse(octets(header + "\1auth=Bearer " + token + "\1\1"));
  }

  private void assertGood(String token) {
    assertThat(tokens.verify(token))
        .isEqualTo(new TokenResult.Valid(new User("alice@example.org", Set.of())));
  }

  private void assertBad(String token) {
    TokenResult verdict = tokens.verify(token);
    assertThat(verdict).isInstanceOf(TokenResult.Invalid.class);
    if (token.length() > 20) {
      assertThat(((TokenResult.Invalid) verdict).reason()).doesNotContain(token.substring(0, 20));
    }
  }

  private TokenVerifier tokens() throws IOException {
    return new TokenVerifier(config(), name -> Optional.empty());
  }

  private JwtConfig config() {
    return new JwtConfig(
        file(), "https://login.example.org", List.of("mail"), "email", Duration.ofSeconds(60));
  }

  private Path file() {
    return folder.resolve("jwks.json");
  }

  private static String rsaSigned(Consumer<JwtClaims> change) throws JoseException {
    return signed(rsa, AlgorithmIdentifiers.RSA_USING_SHA256, change);
  }

  private static String signed(PublicJsonWebKey key, String algorithm, Consumer<JwtClaims> change)
      throws JoseException {
    JsonWebSignature jws = new JsonWebSignature();
    jws.setAlgorithmHeaderValue(algorithm);
    jws.setKeyIdHeaderValue(key.getKeyId());
    jws.setKey(key.getPrivateKey());
    jws.setPayload(claims(change).toJson());
    return jws.getCompactSerialization();
  }

  private static JwtClaims claims(Consumer<JwtClaims> change) {
    JwtClaims claims = new JwtClaims();
    claims.setIssuer("https://login.example.org");
    claims.setAudience("mail");
    claims.setExpirationTime(secondsFromNow(300));
    claims.setClaim("email", "alice@example.org");
    change.accept(claims);
    return claims;
  }

  private static NumericDate secondsFromNow(int seconds) {
    NumericDate date = NumericDate.now();
    date.addSeconds(seconds);
    return date;
  }

  private static byte[] octets(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
