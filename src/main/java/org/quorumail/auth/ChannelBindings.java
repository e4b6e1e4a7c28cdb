package org.quorumail.auth;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/**
 * The channel bindings of a TLS connection, RFC 5056, by the name of their type in SCRAM. They tie
 * an authentication to its connection, so a man in the middle cannot use it.
 */
public final class ChannelBindings {
  private static final String EXPORTER_LABEL = "EXPORTER-Channel-Binding"; // RFC 9266 §2
  private static final int EXPORTER_BYTES = 32;

  private final Map<String, byte[]> byType;

  ChannelBindings(Map<String, byte[]> byType) {
    this.byType = byType;
  }

  /** The bindings of a connection without TLS: none. */
  public static ChannelBindings none() {
    return new ChannelBindings(Map.of());
  }

  /** The bindings of a TLS connection on which this side is the server. */
  public static ChannelBindings of(SSLSession session) {
    Map<String, byte[]> byType = new HashMap<>();
    byte[] exporter = exporter(session);
    if (exporter != null) byType.put("tls-exporter", exporter);
    byte[] endPoint = endPoint(session.getLocalCertificates());
    if (endPoint != null) byType.put("tls-server-end-point", endPoint);
    return new ChannelBindings(byType);
  }

  boolean isAvailable() {
    return !byType.isEmpty();
  }

  Optional<byte[]> data(String type) {
    return Optional.ofNullable(byType.get(type));
  }

  /** RFC 9266 §2. In TLS 1.2 the JDK gives it only with an extended master secret. */
  private static byte @Nullable [] exporter(SSLSession session) {
    if (!(session instanceof ExtendedSSLSession extended)) return null;
    try {
      return extended.exportKeyingMaterialData(EXPORTER_LABEL, new byte[0], EXPORTER_BYTES);
    } catch (SSLException | UnsupportedOperationException | IllegalStateException e) {
      return null; // an old client without the extension
    }
  }

  /**
   * RFC 5929 §4.1: the certificate's hash by its signature's hash function, SHA-256 for MD5 and
   * SHA-1.
   */
  private static byte @Nullable [] endPoint(Certificate @Nullable [] chain) {
    if (chain == null || chain.length == 0) return null;
    if (!(chain[0] instanceof X509Certificate certificate)) return null;
    String hash = hashOf(certificate.getSigAlgName().toUpperCase(Locale.ROOT));
    if (hash == null) return null;
    try {
      return MessageDigest.getInstance(hash).digest(certificate.getEncoded());
    } catch (GeneralSecurityException e) {
      return null;
    }
  }

  /** Null for signatures without a single hash (EdDSA, PSS), for which RFC 5929 defines none. */
  private static @Nullable String hashOf(String signatureAlgorithm) {
    int with = signatureAlgorithm.indexOf("WITH");
    if (with < 0) return null;
    return switch (signatureAlgorithm.substring(0, with)) {
      case "MD5", "SHA1", "SHA256" -> "SHA-256";
      case "SHA224" -> "SHA-224";
      case "SHA384" -> "SHA-384";
      case "SHA512" -> "SHA-512";
      default -> null;
    };
  }
}
