package org.quorumail.auth;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.auth.TokenVerifier.TokenResult;

/**
 * The mechanisms with a bearer token instead of a password: OAUTHBEARER, RFC 7628 §3, and XOAUTH2,
 * its predecessor at Google and Microsoft. They differ in the form of the name and of a refusal.
 */
final class BearerMechanism implements SaslMechanism {
  /** The two mechanisms. */
  enum Dialect {
    OAUTHBEARER,
    XOAUTH2
  }

  private static final String SEPARATOR = "\u0001";

  private final TokenVerifier tokens;
  private final Dialect dialect;
  private @Nullable SaslStep afterRefusal;

  BearerMechanism(TokenVerifier tokens, Dialect dialect) {
    this.tokens = tokens;
    this.dialect = dialect;
  }

  @Override
  public SaslStep evaluateResponse(byte[] response) {
    if (afterRefusal != null)
      return afterRefusal; // any response to the refusal ends the exchange (§3.2.3)
    Optional<String> message = PasswordVerifier.decodeUtf8(response);
    if (message.isEmpty()) return malformed();
    int headerEnd = message.get().indexOf(SEPARATOR);
    if (headerEnd < 0 || !message.get().endsWith(SEPARATOR + SEPARATOR)) return malformed();
    Optional<String> claimed = claimedName(message.get().substring(0, headerEnd));
    String token = bearerToken(message.get().substring(headerEnd + 1));
    if (claimed.isEmpty() || token == null) return malformed();
    return stepFor(tokens.verify(token), claimed.get());
  }

  private SaslStep stepFor(TokenResult verdict, String claimed) {
    return switch (verdict) {
      case TokenResult.Valid good -> {
        boolean sameName =
            claimed.isEmpty() || SaslPrep.name(claimed).equals(Optional.of(good.user().name()));
        yield sameName
            ? new SaslStep.Authenticated(good.user())
            : refuse(good.user().name(), "the token belongs to another user");
      }
      case TokenResult.Invalid bad -> refuse(SaslPrep.name(claimed).orElse(""), bad.reason());
    };
  }

  /** Sends the refusal as JSON; the exchange fails with the client's next response. */
  private SaslStep refuse(String name, String reason) {
    afterRefusal = new SaslStep.Denied(name, reason);
    String json =
        dialect == Dialect.OAUTHBEARER
            ? "{\"status\":\"invalid_token\",\"schemes\":\"bearer\"}"
            : "{\"status\":\"401\",\"schemes\":\"bearer\"}";
    return new SaslStep.Challenge(json.getBytes(StandardCharsets.US_ASCII));
  }

  /** The name before the first separator, an empty text for none; empty when malformed. */
  private Optional<String> claimedName(String header) {
    if (dialect == Dialect.XOAUTH2) {
      return header.startsWith("user=") ? Optional.of(header.substring(5)) : Optional.empty();
    }
    String[] parts = header.split(",", -1); // gs2-header: flag, authzid, and a final comma
    boolean noBinding = parts[0].equals("n") || parts[0].equals("y");
    if (parts.length != 3 || !noBinding || !parts[2].isEmpty()) return Optional.empty();
    if (parts[1].isEmpty()) return Optional.of("");
    if (!parts[1].startsWith("a=")) return Optional.empty();
    return Optional.ofNullable(ScramMechanism.saslName(parts[1].substring(2)));
  }

  /**
   * The token of {@code auth=Bearer TOKEN} among the pairs; null when it is missing or malformed.
   */
  private static @Nullable String bearerToken(String pairs) {
    String token = null;
    for (String pair : pairs.split(SEPARATOR, -1)) {
      if (!pair.startsWith("auth=")) continue;
      String value = pair.substring(5);
      if (token != null || !value.regionMatches(true, 0, "Bearer ", 0, 7)) return null;
      token = value.substring(7).strip();
    }
    return token;
  }

  private static SaslStep malformed() {
    return new SaslStep.Malformed("a bearer token is sent as name, ^A, auth=Bearer TOKEN, ^A^A");
  }
}
