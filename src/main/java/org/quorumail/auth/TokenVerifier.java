package org.quorumail.auth;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jose4j.jwa.AlgorithmConstraints.ConstraintType;
import org.jose4j.jwk.JsonWebKeySet;
import org.jose4j.jws.AlgorithmIdentifiers;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.jwt.MalformedClaimException;
import org.jose4j.jwt.consumer.InvalidJwtException;
import org.jose4j.jwt.consumer.JwtConsumer;
import org.jose4j.jwt.consumer.JwtConsumerBuilder;
import org.jose4j.jwt.consumer.JwtContext;
import org.jose4j.jwx.HeaderParameterNames;
import org.jose4j.jwx.JsonWebStructure;
import org.jose4j.keys.resolvers.JwksVerificationKeyResolver;
import org.jose4j.lang.JoseException;
import org.quorumail.auth.AuthConfig.JwtConfig;

/**
 * The verifier of signed tokens (RFC 7519) against the keys of their issuer (a JWKS file, RFC
 * 7517): signature, issuer, audience, validity. Only asymmetric signatures count. Tokens that are
 * unsigned, encrypted or signed with a shared secret are refused (RFC 8725 §3).
 */
final class TokenVerifier {
  /** The octets of a token; real ones have 1 to 4 KiB. */
  private static final int MAX_TOKEN = 8192;

  private static final long MAX_FILE = 1 << 20;

  private static final Set<String> TYPES = Set.of("jwt", "at+jwt");

  private final JwtConfig config;
  private final Function<String, Optional<User>> userLookup;
  private final WatchedFile<JwtConsumer> consumerFile;

  /** The result of a verification. */
  sealed interface TokenResult {
    record Valid(User user) implements TokenResult {}

    /**
     * @param reason for the log, without the token
     */
    record Invalid(String reason) implements TokenResult {}
  }

  /**
   * Reads the keys of the issuer.
   *
   * @param userLookup finds the sender addresses of a user; a user who is not found has only the
   *     name
   * @throws IOException with one sentence when the keys cannot be read
   */
  TokenVerifier(JwtConfig config, Function<String, Optional<User>> userLookup) throws IOException {
    this.config = config;
    this.userLookup = userLookup;
    this.consumerFile =
        new WatchedFile<>(
            config.keys(), MAX_FILE, "auth.jwt.keys", Optional.empty(), this::consumer);
  }

  TokenResult verify(String token) {
    if (token.length() > MAX_TOKEN) return new TokenResult.Invalid("the token is too long");
    try {
      JwtContext context = consumerFile.current().process(token);
      Optional<String> wrongType = wrongType(context);
      if (wrongType.isPresent()) return new TokenResult.Invalid(wrongType.get());
      JwtClaims claims = context.getJwtClaims();
      String name = claims.getClaimValue(config.userClaim(), String.class);
      if (name == null)
        return new TokenResult.Invalid("the token has no claim " + config.userClaim());
      if (config.userClaim().equals("email") && !isVerifiedMail(claims)) {
        return new TokenResult.Invalid("the issuer has not verified the address (email_verified)");
      }
      Optional<String> prepared = SaslPrep.name(name);
      if (prepared.isEmpty()) return new TokenResult.Invalid("the name in the token is not legal");
      Optional<User> user = userLookup.apply(prepared.get());
      return new TokenResult.Valid(user.orElseGet(() -> new User(prepared.get(), Set.of())));
    } catch (InvalidJwtException e) {
      return new TokenResult.Invalid(reason(e));
    } catch (MalformedClaimException e) {
      return new TokenResult.Invalid("the claim " + config.userClaim() + " is not a text");
    } catch (RuntimeException e) {
      // the library passes on some exceptions of its parser; none of them proves anything
      return new TokenResult.Invalid("the token cannot be read: " + e.getClass().getSimpleName());
    }
  }

  /** Tokens made for another purpose name it in their header (RFC 8725 §3.11, RFC 9068 §2.1). */
  private static Optional<String> wrongType(JwtContext context) {
    for (JsonWebStructure part : context.getJoseObjects()) {
      Object type = part.getHeaders().getObjectHeaderValue(HeaderParameterNames.TYPE);
      if (type == null) continue;
      String name = type.toString().toLowerCase(Locale.ROOT).replaceFirst("^application/", "");
      if (!TYPES.contains(name)) return Optional.of("the token is of another type (typ)");
    }
    return Optional.empty();
  }

  /**
   * An issuer that lets people choose their address says which it has verified (OpenID Connect).
   */
  private static boolean isVerifiedMail(JwtClaims claims) {
    Object verified = claims.getClaimValue("email_verified");
    return verified == null || verified.toString().equalsIgnoreCase("true");
  }

  private JwtConsumer consumer(Path file, String json) throws IOException {
    JsonWebKeySet set;
    try {
      set = new JsonWebKeySet(json);
    } catch (JoseException | RuntimeException e) {
      throw new IOException("auth.jwt.keys: " + file + " is not a JWKS (RFC 7517)", e);
    }
    if (set.getJsonWebKeys().isEmpty()) {
      throw new IOException("auth.jwt.keys: there is no usable key in " + file);
    }
    return new JwtConsumerBuilder()
        .setVerificationKeyResolver(new JwksVerificationKeyResolver(set.getJsonWebKeys()))
        .setJwsAlgorithmConstraints(
            ConstraintType.PERMIT,
            AlgorithmIdentifiers.RSA_USING_SHA256,
            AlgorithmIdentifiers.ECDSA_USING_P256_CURVE_AND_SHA256,
            AlgorithmIdentifiers.EDDSA)
        .setJweAlgorithmConstraints(ConstraintType.PERMIT) // none
        .setRequireExpirationTime()
        .setAllowedClockSkewInSeconds((int) config.leeway().toSeconds())
        .setExpectedIssuer(config.issuer())
        .setExpectedAudience(config.audience().toArray(String[]::new))
        .build();
  }

  /** A reason without the token, which the library's messages repeat. */
  private static String reason(InvalidJwtException e) {
    if (e.hasExpired()) return "the token has expired";
    StringBuilder codes = new StringBuilder("the token is not valid");
    e.getErrorDetails().forEach(error -> codes.append(", code ").append(error.getErrorCode()));
    return codes.toString();
  }
}
