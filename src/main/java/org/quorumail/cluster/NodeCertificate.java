package org.quorumail.cluster;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import javax.crypto.KDF;
import javax.crypto.spec.HKDFParameterSpec;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.sec.ECPrivateKey;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x9.X9ECParameters;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.crypto.ec.CustomNamedCurves;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.jspecify.annotations.Nullable;
import org.quorumail.config.Secret;
import org.quorumail.tls.PemFile;

/**
 * The certificate of a node: a key, a certificate for it, and the authority that signs all
 * certificates of the cluster.
 *
 * <p>One secret is enough. The private key of the authority is computed from the secret (HKDF, RFC
 * 5869), so every node with the secret arrives at the same authority and mints its own certificate
 * at each start. A holder of the secret can take any name: the trust is in the secret, not in the
 * name.
 */
public record NodeCertificate(
    PrivateKey key, X509Certificate certificate, X509Certificate authority) {

  private static final ASN1ObjectIdentifier CURVE = X9ObjectIdentifiers.prime256v1;
  private static final X500Name AUTHORITY_NAME = new X500Name("CN=Quorumail cluster authority");

  /**
   * The certificates live for one start of a node; a clock that is years off must not expire them.
   */
  private static final Instant VALID_FROM = Instant.parse("2000-01-01T00:00:00Z");

  private static final Instant VALID_UNTIL = Instant.parse("2100-01-01T00:00:00Z");

  /**
   * Mints the certificate of this node under the authority that follows from the secret.
   *
   * @param hosts addresses and names under which others connect to this node
   */
  public static NodeCertificate derive(Secret secret, String nodeId, Set<String> hosts) {
    try {
      KeyPair authorityKey = authorityKey(secret);
      X509Certificate authority =
          sign(AUTHORITY_NAME, authorityKey.getPublic(), BigInteger.ONE, null, authorityKey);
      KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(new ECGenParameterSpec("secp256r1"));
      KeyPair own = generator.generateKeyPair();
      X500Name name = new X500NameBuilder().addRDN(BCStyle.CN, nodeId).build();
      BigInteger serial = new BigInteger(126, new SecureRandom()).add(BigInteger.TWO);
      X509Certificate leaf =
          sign(name, own.getPublic(), serial, alternativeNames(nodeId, hosts), authorityKey);
      return new NodeCertificate(own.getPrivate(), leaf, authority);
    } catch (GeneralSecurityException | OperatorCreationException | IOException e) {
      throw new IllegalStateException("the JDK lacks what the cluster's certificates need", e);
    }
  }

  /** The authority that follows from a secret. */
  public static X509Certificate authority(Secret secret) {
    try {
      KeyPair key = authorityKey(secret);
      return sign(AUTHORITY_NAME, key.getPublic(), BigInteger.ONE, null, key);
    } catch (GeneralSecurityException | OperatorCreationException | IOException e) {
      throw new IllegalStateException("the JDK lacks what the cluster's certificates need", e);
    }
  }

  /** Reads {@code cluster.tls}: three PEM files that must fit each other. */
  public static NodeCertificate read(ClusterTlsFiles files) throws ClusterStartException {
    X509Certificate leaf =
        read("cluster.tls.certificate", () -> PemFile.certificates(files.certificate())).getFirst();
    X509Certificate authority =
        read("cluster.tls.ca", () -> PemFile.certificates(files.ca())).getFirst();
    PrivateKey key = read("cluster.tls.key", () -> PemFile.privateKey(files.key()));
    if (!PemFile.matches(key, leaf)) {
      throw new ClusterStartException(
          "cluster.tls.key: %s is not the key of the certificate %s; name a pair that belongs together"
              .formatted(files.key(), files.certificate()));
    }
    try {
      leaf.verify(authority.getPublicKey());
    } catch (GeneralSecurityException e) {
      throw new ClusterStartException(
          "cluster.tls.ca: %s did not sign the certificate %s"
              .formatted(files.ca(), files.certificate()),
          e);
    }
    return new NodeCertificate(key, leaf, authority);
  }

  /**
   * Reads {@code cluster.tls} for a node, whose id the certificate must name unless {@code verify}
   * says otherwise: the other nodes would refuse it.
   */
  public static NodeCertificate read(ClusterTlsFiles files, String nodeId)
      throws ClusterStartException {
    NodeCertificate read = read(files);
    Set<String> names = names(read.certificate);
    if (files.verification() == ClusterTlsFiles.Verification.AUTHORITY || names.contains(nodeId)) {
      return read;
    }
    throw new ClusterStartException(
        "cluster.tls.certificate: %s names %s, not this node, %s; issue one with that DNS name for each node, or set cluster.tls.verify = \"authority\" on all nodes to let any certificate of the authority speak as any node"
            .formatted(files.certificate(), names, nodeId));
  }

  /** Whether a certificate names the node of a peer of Raft, whose name is the id and a suffix. */
  public static boolean isOfPeer(X509Certificate certificate, String peerId) {
    int suffix = peerId.lastIndexOf('-');
    return suffix > 0 && names(certificate).contains(peerId.substring(0, suffix));
  }

  /**
   * The TLS context for both ends of a connection between nodes; each end authenticates the other.
   */
  public SSLContext context() {
    try {
      SSLContext context = SSLContext.getInstance("TLSv1.3");
      context.init(new KeyManager[] {keyManager()}, new TrustManager[] {trustManager()}, null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("the JDK cannot make a TLS context", e);
    }
  }

  /** The key manager that presents this node's certificate. */
  public KeyManager keyManager() {
    try {
      char[] none = new char[0];
      KeyStore own = KeyStore.getInstance("PKCS12");
      own.load(null, null);
      own.setKeyEntry("node", key, none, new X509Certificate[] {certificate});
      KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
      keys.init(own, none);
      return keys.getKeyManagers()[0];
    } catch (GeneralSecurityException | IOException e) {
      throw new IllegalStateException("the JDK cannot hold the node's key", e);
    }
  }

  /** The trust manager that trusts certificates of the cluster's authority, and no others. */
  public TrustManager trustManager() {
    return trustManager(List.of());
  }

  /**
   * The trust manager that trusts certificates of the cluster's authority, or of one of these.
   *
   * @param accepted the authorities of further secrets, during a rotation
   */
  public TrustManager trustManager(List<X509Certificate> accepted) {
    try {
      KeyStore trusted = KeyStore.getInstance("PKCS12");
      trusted.load(null, null);
      trusted.setCertificateEntry("authority", authority);
      for (X509Certificate other : accepted) {
        trusted.setCertificateEntry("authority-" + trusted.size(), other);
      }
      TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
      trust.init(trusted);
      return trust.getTrustManagers()[0];
    } catch (GeneralSecurityException | IOException e) {
      throw new IllegalStateException("the JDK cannot hold the cluster's authority", e);
    }
  }

  /** The names in a certificate: common name and alternative names. */
  public static Set<String> names(X509Certificate certificate) {
    Set<String> names = new TreeSet<>();
    X500Name subject = new X500Name(certificate.getSubjectX500Principal().getName());
    for (var rdn : subject.getRDNs(BCStyle.CN)) names.add(rdn.getFirst().getValue().toString());
    try {
      var alternatives = certificate.getSubjectAlternativeNames();
      if (alternatives == null) return names;
      for (List<?> entry : alternatives) names.add(String.valueOf(entry.get(1)));
    } catch (GeneralSecurityException e) {
      return names; // unreadable alternative names name nobody
    }
    return names;
  }

  private static KeyPair authorityKey(Secret secret) throws GeneralSecurityException {
    KDF hkdf = KDF.getInstance("HKDF-SHA256");
    byte[] info = "quorumail cluster authority 1".getBytes(StandardCharsets.UTF_8);
    byte[] seed =
        hkdf.deriveData(HKDFParameterSpec.ofExtract().addIKM(secret.bytes()).thenExpand(info, 48));
    X9ECParameters curve = CustomNamedCurves.getByOID(CURVE);
    // 384 bits modulo a 256-bit order: the bias is below 2^-128 (FIPS 186-5, A.2.1)
    BigInteger d =
        new BigInteger(1, seed).mod(curve.getN().subtract(BigInteger.ONE)).add(BigInteger.ONE);
    byte[] point = curve.getG().multiply(d).normalize().getEncoded(false);
    AlgorithmIdentifier algorithm =
        new AlgorithmIdentifier(X9ObjectIdentifiers.id_ecPublicKey, CURVE);
    try {
      KeyFactory keys = KeyFactory.getInstance("EC");
      var publicInfo = new SubjectPublicKeyInfo(algorithm, point);
      var privateInfo = new PrivateKeyInfo(algorithm, new ECPrivateKey(256, d));
      return new KeyPair(
          keys.generatePublic(new X509EncodedKeySpec(publicInfo.getEncoded())),
          keys.generatePrivate(new PKCS8EncodedKeySpec(privateInfo.getEncoded())));
    } catch (IOException e) {
      throw new GeneralSecurityException(e);
    }
  }

  private static X509Certificate sign(
      X500Name subject,
      PublicKey publicKey,
      BigInteger serial,
      @Nullable GeneralNames names,
      KeyPair authorityKey)
      throws OperatorCreationException, GeneralSecurityException, IOException {
    var builder =
        new JcaX509v3CertificateBuilder(
            AUTHORITY_NAME,
            serial,
            Date.from(VALID_FROM),
            Date.from(VALID_UNTIL),
            subject,
            publicKey);
    boolean isAuthority = names == null;
    builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(isAuthority));
    if (names != null) builder.addExtension(Extension.subjectAlternativeName, false, names);
    var signer = new JcaContentSignerBuilder("SHA256withECDSA").build(authorityKey.getPrivate());
    return new JcaX509CertificateConverter().getCertificate(builder.build(signer));
  }

  private static GeneralNames alternativeNames(String nodeId, Set<String> hosts) {
    List<GeneralName> names = new ArrayList<>();
    names.add(new GeneralName(GeneralName.dNSName, nodeId));
    for (String host : hosts) {
      boolean isAddress = host.matches("[0-9.]+") || host.indexOf(':') >= 0;
      names.add(new GeneralName(isAddress ? GeneralName.iPAddress : GeneralName.dNSName, host));
    }
    return new GeneralNames(names.toArray(GeneralName[]::new));
  }

  private static <T> T read(String key, PemRead<T> file) throws ClusterStartException {
    try {
      return file.get();
    } catch (CertificateException e) {
      throw new ClusterStartException(key + ": " + e.getMessage(), e);
    }
  }

  private interface PemRead<T> {
    T get() throws CertificateException;
  }
}
