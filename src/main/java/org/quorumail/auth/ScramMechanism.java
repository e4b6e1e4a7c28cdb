package org.quorumail.auth;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.auth.UserStore.ScramCredentials;

/**
 * The mechanisms SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, RFC 5802 §5 with RFC 7677. The password
 * never crosses the wire, and the server proves that it has the keys.
 *
 * <pre>
 * client-first  → server-first  (salt, iterations, a nonce of both)
 * client-final  → server-final  (the server's proof)
 * nothing       → done
 * </pre>
 */
final class ScramMechanism implements SaslMechanism {
  private static final int MAX_NONCE = 512; // clients send 16 to 40 octets

  private final UserStore users;
  private final boolean withChannelBinding;
  private final ChannelBindings bindings;
  private final boolean plusOffered;
  private final String serverNonce;
  private @Nullable ExchangeState exchange;
  private @Nullable User authenticatedUser;

  /** The state after the first two messages. */
  private record ExchangeState(
      String gs2Header,
      String name,
      String nonce,
      String authMessageStart,
      byte[] expectedBinding,
      ScramCredentials credentials) {}

  /** The name and nonce of client-first-message-bare. */
  private record ClientFirstMessage(String name, String nonce) {}

  /**
   * @param withChannelBinding whether this is SCRAM-SHA-256-PLUS
   * @param plusOffered whether the client was offered SCRAM-SHA-256-PLUS
   * @param serverNonce fresh, printable, without comma
   */
  ScramMechanism(
      UserStore users,
      boolean withChannelBinding,
      ChannelBindings bindings,
      boolean plusOffered,
      String serverNonce) {
    this.users = users;
    this.withChannelBinding = withChannelBinding;
    this.bindings = bindings;
    this.plusOffered = plusOffered;
    this.serverNonce = serverNonce;
  }

  @Override
  public SaslStep evaluateResponse(byte[] response) {
    if (authenticatedUser != null) return finish(response, authenticatedUser);
    Optional<String> message = PasswordVerifier.decodeUtf8(response);
    if (message.isEmpty()) return malformed("SCRAM is UTF-8");
    return exchange == null
        ? handleClientFirst(message.get())
        : handleClientFinal(message.get(), exchange);
  }

  /** client-first-message: {@code gs2-cbind-flag "," [authzid] "," n=NAME,r=NONCE[,extensions]}. */
  private SaslStep handleClientFirst(String message) {
    String[] parts = message.split(",", 3);
    if (parts.length != 3) return malformed("the first message has a header of two commas");
    byte[] binding = new byte[0];
    switch (parts[0]) {
      case "n" -> {
        if (withChannelBinding) return malformed("this mechanism needs a channel binding");
      }
      case "y" -> {
        if (withChannelBinding) return malformed("this mechanism needs a channel binding");
        // the client saw no -PLUS: a third party has removed it from the EHLO reply (§6)
        if (plusOffered)
          return new SaslStep.Denied("", "the offer of channel binding was removed on the way");
      }
      default -> {
        if (!withChannelBinding || !parts[0].startsWith("p="))
          return malformed("no channel binding is expected");
        Optional<byte[]> data = bindings.data(parts[0].substring(2));
        if (data.isEmpty())
          return new SaslStep.Denied("", "this type of channel binding is not available");
        binding = data.get();
      }
    }
    ClientFirstMessage bare = parseClientFirst(parts[2]);
    if (bare == null) return malformed("the first message is n=NAME,r=NONCE");
    Optional<String> name = SaslPrep.name(bare.name());
    if (!parts[1].isEmpty()) {
      String authzid = parts[1].startsWith("a=") ? saslName(parts[1].substring(2)) : null;
      if (authzid == null) return malformed("the header's second part is a=NAME");
      if (!PlainMechanism.sameName(authzid, bare.name())) {
        return new SaslStep.Denied(name.orElse(""), "asks to act as another user");
      }
    }
    ScramCredentials credentials = users.scramCredentials(name.orElse(" "));
    ScramKeys keys = credentials.keys();
    String nonce = bare.nonce() + serverNonce;
    String salt = Base64.getEncoder().encodeToString(keys.salt());
    String serverFirst = "r=" + nonce + ",s=" + salt + ",i=" + keys.iterations();
    String header = parts[0] + "," + parts[1] + ",";
    exchange =
        new ExchangeState(
            header,
            name.orElse(""),
            nonce,
            parts[2] + "," + serverFirst + ",",
            bindingInput(header, binding),
            credentials);
    return challenge(serverFirst);
  }

  /** client-final-message: {@code c=BINDING,r=NONCE[,extensions],p=PROOF}. */
  private SaslStep handleClientFinal(String message, ExchangeState b) {
    int proofAt = message.lastIndexOf(",p=");
    if (proofAt < 0) return malformed("the last message ends with a proof");
    String withoutProof = message.substring(0, proofAt);
    byte[] proof = base64(message.substring(proofAt + 3));
    String[] parts = withoutProof.split(",", 3);
    if (proof == null || proof.length != ScramKeys.KEY_BYTES || parts.length < 2) {
      return malformed("the last message is c=BINDING,r=NONCE,p=PROOF");
    }
    byte[] binding = parts[0].startsWith("c=") ? base64(parts[0].substring(2)) : null;
    if (binding == null || !parts[1].startsWith("r=")) {
      return malformed("the last message is c=BINDING,r=NONCE,p=PROOF");
    }
    ScramKeys keys = b.credentials().keys();
    byte[] authMessage = octets(b.authMessageStart() + withoutProof);
    byte[] clientSignature = ScramKeys.hmac(keys.storedKey(), authMessage);
    byte[] clientKey = new byte[proof.length];
    for (int i = 0; i < proof.length; i++) clientKey[i] = (byte) (proof[i] ^ clientSignature[i]);
    boolean proofMatches = MessageDigest.isEqual(ScramKeys.sha256(clientKey), keys.storedKey());
    boolean bindingMatches = MessageDigest.isEqual(binding, b.expectedBinding());
    boolean nonceMatches = MessageDigest.isEqual(octets(parts[1].substring(2)), octets(b.nonce()));
    Optional<User> user = b.credentials().user();
    if (!nonceMatches)
      return new SaslStep.Denied(b.name(), "the nonce belongs to another exchange");
    if (!bindingMatches) return new SaslStep.Denied(b.name(), "the channel binding does not match");
    if (!proofMatches || user.isEmpty())
      return new SaslStep.Denied(b.name(), "wrong name or password");
    authenticatedUser = user.get();
    byte[] signature = ScramKeys.hmac(keys.serverKey(), authMessage);
    return challenge("v=" + Base64.getEncoder().encodeToString(signature));
  }

  /** SMTP carries no data with its success: the client answers the server's proof with nothing. */
  private static SaslStep finish(byte[] response, User user) {
    if (response.length > 0) return malformed("nothing follows the server's proof");
    return new SaslStep.Authenticated(user);
  }

  private static @Nullable ClientFirstMessage parseClientFirst(String text) {
    String[] parts = text.split(",", 3); // "m=" first would be an extension that must be refused
    if (parts.length < 2 || !parts[0].startsWith("n=") || !parts[1].startsWith("r=")) return null;
    String name = saslName(parts[0].substring(2));
    String nonce = parts[1].substring(2);
    boolean printable = nonce.chars().allMatch(c -> c >= '!' && c <= '~');
    if (name == null || nonce.isEmpty() || nonce.length() > MAX_NONCE || !printable) return null;
    return new ClientFirstMessage(name, nonce);
  }

  /**
   * Decodes saslname: {@code =2C} is a comma, {@code =3D} an equals sign, and no other is legal.
   */
  static @Nullable String saslName(String text) {
    StringBuilder name = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '=') {
        if (text.startsWith("=2C", i)) name.append(',');
        else if (text.startsWith("=3D", i)) name.append('=');
        else return null;
        i += 2;
      } else {
        name.append(c);
      }
    }
    return name.isEmpty() ? null : name.toString();
  }

  private static byte[] bindingInput(String header, byte[] binding) {
    byte[] start = octets(header);
    byte[] all = new byte[start.length + binding.length];
    System.arraycopy(start, 0, all, 0, start.length);
    System.arraycopy(binding, 0, all, start.length, binding.length);
    return all;
  }

  private static byte @Nullable [] base64(String text) {
    try {
      return Base64.getDecoder().decode(text);
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  private static byte[] octets(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static SaslStep challenge(String text) {
    return new SaslStep.Challenge(octets(text));
  }

  private static SaslStep malformed(String reason) {
    return new SaslStep.Malformed(reason);
  }
}
