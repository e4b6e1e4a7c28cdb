package org.quorumail.auth;

import java.nio.charset.StandardCharsets;
import java.util.Base64;

/** The client's side of SCRAM-SHA-256, RFC 5802 §3, written for tests from the RFC alone. */
final class ScramClient {
  final String header;
  final byte[] binding;
  final String password;
  final String bare;
  private String authMessage = "";

  /**
   * @param header the GS2 header, such as {@code n,,}
   */
  ScramClient(String header, byte[] binding, String name, String password, String nonce) {
    this.header = header;
    this.binding = binding;
    this.password = password;
    this.bare = "n=" + name + ",r=" + nonce;
  }

  byte[] first() {
    return octets(header + bare);
  }

  byte[] last(byte[] serverFirst) {
    String server = new String(serverFirst, StandardCharsets.UTF_8);
    String[] parts = server.split(",");
    byte[] salt = Base64.getDecoder().decode(parts[1].substring(2));
    int iterations = Integer.parseInt(parts[2].substring(2));
    byte[] start = octets(header);
    byte[] bound = java.util.Arrays.copyOf(start, start.length + binding.length);
    System.arraycopy(binding, 0, bound, start.length, binding.length);
    String withoutProof = "c=" + Base64.getEncoder().encodeToString(bound) + "," + parts[0];
    authMessage = bare + "," + server + "," + withoutProof;
    byte[] clientKey = clientKey(salt, iterations);
    byte[] signature = ScramKeys.hmac(ScramKeys.sha256(clientKey), octets(authMessage));
    byte[] proof = new byte[clientKey.length];
    for (int i = 0; i < proof.length; i++) proof[i] = (byte) (clientKey[i] ^ signature[i]);
    return octets(withoutProof + ",p=" + Base64.getEncoder().encodeToString(proof));
  }

  /** The proof of a server that has these keys. */
  byte[] expectedOfServer(ScramKeys keys) {
    byte[] signature = ScramKeys.hmac(keys.serverKey(), octets(authMessage));
    return octets("v=" + Base64.getEncoder().encodeToString(signature));
  }

  private byte[] clientKey(byte[] salt, int iterations) {
    try {
      var spec = new javax.crypto.spec.PBEKeySpec(password.toCharArray(), salt, iterations, 256);
      byte[] salted =
          javax.crypto.SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256")
              .generateSecret(spec)
              .getEncoded();
      return ScramKeys.hmac(salted, "Client Key");
    } catch (java.security.GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private static byte[] octets(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
