package org.quorumail.smtp.client;

import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;

/**
 * The check of a verified certificate against names that are not the host's own: the reference
 * identifiers of RFC 6125 §6. Only DNS names of the certificate count.
 */
final class CertificateNames {
  private static final int DNS_NAME = 2; // the type of a dNSName in getSubjectAlternativeNames

  private CertificateNames() {}

  /**
   * Checks the server's certificate, whose issuer the handshake has verified.
   *
   * @param accepted host names; with a dot in front any name below
   * @throws SSLPeerUnverifiedException when it has none of the names
   */
  static void check(SSLSession session, List<String> accepted) throws SSLPeerUnverifiedException {
    X509Certificate certificate = (X509Certificate) session.getPeerCertificates()[0];
    List<String> names = dnsNames(certificate);
    for (String name : names) {
      for (String wanted : accepted) {
        if (fits(name, wanted.toLowerCase(Locale.ROOT))) return;
      }
    }
    throw new SSLPeerUnverifiedException(
        "its certificate is for " + names + ", not for " + String.join(" or ", accepted));
  }

  private static boolean fits(String name, String wanted) {
    if (wanted.startsWith(".")) return name.endsWith(wanted);
    if (name.equals(wanted)) return true;
    int dot = wanted.indexOf('.'); // a wildcard stands for one whole label, RFC 6125 §6.4.3
    return dot > 0 && name.startsWith("*.") && name.substring(1).equals(wanted.substring(dot));
  }

  private static List<String> dnsNames(X509Certificate certificate) {
    List<String> names = new ArrayList<>();
    try {
      Collection<List<?>> all = certificate.getSubjectAlternativeNames();
      if (all == null) return names;
      for (List<?> name : all) {
        if (name.get(0).equals(DNS_NAME))
          names.add(name.get(1).toString().toLowerCase(Locale.ROOT));
      }
    } catch (CertificateParsingException e) {
      return List.of(); // names that cannot be read prove nothing
    }
    return names;
  }
}
