package org.quorumail.auth;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.concurrent.CompletableFuture;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.quorumail.smtp.ClientTlsContexts;
import org.quorumail.smtp.TestCertificates;

/** Both ends of a TLS connection, and only they, have its channel bindings. */
class ChannelBindingsTest {
  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"TLSv1.3", "TLSv1.2"})
  void bothEndsHaveTheSame(String protocol) throws Exception {
    TestCertificates.write(folder, "mx");
    SSLContext context = serverContext();
    try (SSLServerSocket listening =
            (SSLServerSocket)
                context
                    .getServerSocketFactory()
                    .createServerSocket(0, 1, InetAddress.getLoopbackAddress());
        Socket plain = new Socket(InetAddress.getLoopbackAddress(), listening.getLocalPort());
        SSLSocket client =
            (SSLSocket)
                ClientTlsContexts.opportunisticClient()
                    .getSocketFactory()
                    .createSocket(plain, "mx", 25, true)) {
      client.setEnabledProtocols(new String[] {protocol});
      CompletableFuture<SSLSession> server =
          CompletableFuture.supplyAsync(() -> shakeHands(listening));
      client.startHandshake();
      client.getOutputStream().write(1);
      ExtendedSSLSession session = (ExtendedSSLSession) client.getSession();
      ChannelBindings bindings = ChannelBindings.of(server.join());
      assertThat(bindings.data("tls-exporter"))
          .contains(session.exportKeyingMaterialData("EXPORTER-Channel-Binding", new byte[0], 32));
      byte[] certificate = session.getPeerCertificates()[0].getEncoded();
      assertThat(bindings.data("tls-server-end-point"))
          .contains(MessageDigest.getInstance("SHA-256").digest(certificate));
      assertThat(bindings.data("tls-unique")).isEmpty();
    }
  }

  @Test
  void thereAreNoneWithoutTls() {
    assertThat(ChannelBindings.none().isAvailable()).isFalse();
  }

  private SSLContext serverContext() throws Exception {
    Certificate certificate;
    try (InputStream pem = Files.newInputStream(folder.resolve("mx.pem"))) {
      certificate = CertificateFactory.getInstance("X.509").generateCertificate(pem);
    }
    String base64 = Files.readString(folder.resolve("mx.key")).replaceAll("-----[^-]*-----", "");
    PrivateKey key =
        KeyFactory.getInstance("EC")
            .generatePrivate(new PKCS8EncodedKeySpec(Base64.getMimeDecoder().decode(base64)));
    char[] password = {};
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, password);
    store.setKeyEntry("mx", key, password, new Certificate[] {certificate});
    KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
    keys.init(store, password);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), null, null);
    return context;
  }

  private static SSLSession shakeHands(SSLServerSocket listening) {
    try {
      SSLSocket server = (SSLSocket) listening.accept();
      server.startHandshake();
      if (server.getInputStream().read() < 0) throw new IOException("nothing came");
      return server.getSession();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
