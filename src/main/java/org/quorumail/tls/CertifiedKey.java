package org.quorumail.tls;

import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.security.interfaces.RSAKey;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;

/**
 * A certificate chain, own certificate first, and the private key that belongs to it.
 *
 * @param names the host names of the certificate, in lower case; {@code *.} stands for one label
 */
public record CertifiedKey(List<X509Certificate> chain, PrivateKey key, Set<String> names) {
  private static final int MIN_RSA_BITS = 2048; // RFC 9325 §4.5
  private static final int DNS_NAME = 2; // GeneralName, RFC 5280 §4.2.1.6

  public CertifiedKey {
    chain = List.copyOf(chain);
    names = Set.copyOf(names);
  }

  /**
   * Reads a chain and its key from their PEM files.
   *
   * @throws CertificateException with one sentence that names the file and the problem
   */
  public static CertifiedKey read(KeyPairFiles files) throws CertificateException {
    List<X509Certificate> chain = PemFile.certificates(files.certificate());
    X509Certificate own = chain.getFirst();
    PrivateKey key = PemFile.privateKey(files.key());
    if (!PemFile.matches(key, own)) {
      throw new CertificateException(
          "the key in "
              + files.key()
              + " does not belong to the first certificate in "
              + files.certificate());
    }
    if (key instanceof RSAKey rsa && rsa.getModulus().bitLength() < MIN_RSA_BITS) {
      throw new CertificateException(
          "the RSA key in " + files.key() + " has fewer than " + MIN_RSA_BITS + " bits");
    }
    return new CertifiedKey(chain, key, namesOf(own));
  }

  /** Returns the alternative names; without any, the common name (RFC 6125 §6.4.4). */
  private static Set<String> namesOf(X509Certificate certificate) throws CertificateException {
    Set<String> names = alternativeNames(certificate, DNS_NAME);
    if (!names.isEmpty()) return names;
    try {
      LdapName subject = new LdapName(certificate.getSubjectX500Principal().getName());
      for (Rdn part : subject.getRdns()) {
        if (part.getType().equalsIgnoreCase("CN")) names.add(lower(part.getValue()));
      }
    } catch (InvalidNameException e) {
      // the certificate serves clients that name no server
    }
    return names;
  }

  static Set<String> alternativeNames(X509Certificate certificate, int kind)
      throws CertificateException {
    Set<String> names = new LinkedHashSet<>();
    Collection<List<?>> all = certificate.getSubjectAlternativeNames();
    if (all == null) return names;
    for (List<?> name : all) {
      if (name.getFirst().equals(kind)) names.add(lower(name.getLast()));
    }
    return names;
  }

  private static String lower(Object text) {
    return text.toString().toLowerCase(Locale.ROOT);
  }
}
