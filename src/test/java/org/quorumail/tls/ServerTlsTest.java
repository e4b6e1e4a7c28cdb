package org.quorumail.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.smtp.TestCertificates;
import org.quorumail.smtp.TestCertificates.Issued;

/** Handshakes over loopback with Java's own client. */
class ServerTlsTest {
  @TempDir Path folder;

  private final BlockingQueue<Set<CertificateName>> clientNames = new ArrayBlockingQueue<>(10);

  @BeforeEach
  void certificates() throws Exception {
    TestCertificates.write(folder, "default.example");
    TestCertificates.forHosts(folder, null, "two", "mx.two.example", "smtp.two.example");
    TestCertificates.forHosts(folder, null, "stars", "*.stars.example", "stars.example");
  }

  @Test
  void theCertificateIsChosenByTheNameThatTheClientAsksFor() throws Exception {
    ServerTls tls = tls("1.2", "default.example", "two", "stars");
    assertThat(subjectFor(tls, "smtp.two.example")).isEqualTo("CN=two");
    assertThat(subjectFor(tls, "SMTP.Two.Example")).isEqualTo("CN=two");
    assertThat(subjectFor(tls, "a.stars.example")).isEqualTo("CN=stars");
    assertThat(subjectFor(tls, "stars.example")).isEqualTo("CN=stars");
  }

  @Test
  void aStarStandsForOneLabelAndAnUnknownNameGetsTheDefault() throws Exception {
    ServerTls tls = tls("1.2", "default.example", "two", "stars");
    assertThat(subjectFor(tls, "a.b.stars.example")).isEqualTo("CN=default.example");
    assertThat(subjectFor(tls, "two.example")).isEqualTo("CN=default.example");
    assertThat(subjectFor(tls, null)).isEqualTo("CN=default.example");
  }

  @Test
  void aStrangeNameGetsTheDefaultCertificate() throws Exception {
    ServerTls tls = tls("1.2", "default.example", "two");
    for (String name : List.of("../x", "a_b.two.example", "x".repeat(10_000), "a b", "\0")) {
      assertThat(subjectFor(tls, name)).as(name).isEqualTo("CN=default.example"); // T9
    }
  }

  @Test
  void oldProtocolsAndSuitesAreRefused() throws Exception {
    ServerTls tls = tls("1.2", "default.example");
    String modern = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";
    assertThat(negotiated(tls, "TLSv1.2", modern)).isEqualTo(modern);
    for (String old :
        List.of(
            "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384")) {
      assertThatThrownBy(() -> negotiated(tls, "TLSv1.2", old)).isInstanceOf(IOException.class);
    }
    ServerTls newest = tls("1.3", "default.example");
    assertThatThrownBy(() -> negotiated(newest, "TLSv1.2", modern)).isInstanceOf(IOException.class);
    assertThat(negotiated(newest, "TLSv1.3", "TLS_AES_128_GCM_SHA256"))
        .isEqualTo("TLS_AES_128_GCM_SHA256");
  }

  @Test
  void aSecondConnectionResumesTheSession() throws Exception {
    ServerTls tls = tls("1.2", "default.example");
    SSLContext client = client(null);
    try (Server server = new Server(tls)) {
      long first = shake(server, client, null).getSession().getCreationTime();
      long second = shake(server, client, null).getSession().getCreationTime();
      assertThat(second).isEqualTo(first);
    }
  }

  @Test
  void aRequestedCertificateIsKnownByItsFingerprintAndWhenSignedByItsNames() throws Exception {
    Issued authority = TestCertificates.write(folder, "authority");
    Issued signed =
        TestCertificates.forHosts(folder, authority, "signed", "c.example", "u@c.example");
    Issued stranger = TestCertificates.forHosts(folder, null, "stranger", "c.example");
    ServerTls tls = withClients(ClientCertificates.REQUEST);
    try (Server server = new Server(tls)) {
      shake(server, client(signed), null);
      assertThat(clientNames.poll(10, TimeUnit.SECONDS))
          .contains(CertificateName.parse("dns:c.example"))
          .contains(CertificateName.parse("email:u@c.example"))
          .hasSize(3);
      shake(server, client(stranger), null);
      assertThat(clientNames.poll(10, TimeUnit.SECONDS))
          .singleElement()
          .extracting(CertificateName::kind)
          .isEqualTo(CertificateName.Kind.SHA256);
      shake(server, client(null), null);
      assertThat(clientNames.poll(10, TimeUnit.SECONDS)).isEmpty();
    }
  }

  @Test
  void aResumedSessionStillKnowsItsClient() throws Exception {
    Issued authority = TestCertificates.write(folder, "authority");
    SSLContext client = client(TestCertificates.forHosts(folder, authority, "signed", "c.example"));
    try (Server server = new Server(withClients(ClientCertificates.REQUEST))) {
      shake(server, client, null);
      Set<CertificateName> first = clientNames.poll(10, TimeUnit.SECONDS);
      shake(server, client, null);
      assertThat(clientNames.poll(10, TimeUnit.SECONDS)).isEqualTo(first).hasSize(2);
    }
  }

  @Test
  void aRequiredCertificateMustBeSigned() throws Exception {
    Issued authority = TestCertificates.write(folder, "authority");
    Issued signed = TestCertificates.forHosts(folder, authority, "signed", "c.example");
    Issued stranger = TestCertificates.forHosts(folder, null, "stranger", "c.example");
    try (Server server = new Server(withClients(ClientCertificates.REQUIRE))) {
      shake(server, client(signed), null);
      assertThat(clientNames.poll(10, TimeUnit.SECONDS)).hasSize(2);
      assertThatThrownBy(() -> shake(server, client(stranger), null))
          .isInstanceOf(IOException.class);
      assertThatThrownBy(() -> shake(server, client(null), null)).isInstanceOf(IOException.class);
    }
  }

  private ServerTls withClients(ClientCertificates wanted) throws Exception {
    return ServerTls.of(
        List.of(pair("default.example")),
        "1.2",
        wanted,
        Optional.of(folder.resolve("authority.pem")));
  }

  private ServerTls tls(String minVersion, String... names) throws Exception {
    List<KeyPairFiles> pairs = java.util.Arrays.stream(names).map(this::pair).toList();
    return ServerTls.of(pairs, minVersion, ClientCertificates.NONE, Optional.empty());
  }

  private KeyPairFiles pair(String name) {
    return new KeyPairFiles(folder.resolve(name + ".pem"), folder.resolve(name + ".key"));
  }

  private String subjectFor(ServerTls tls, @Nullable String name) throws Exception {
    try (Server server = new Server(tls);
        SSLSocket socket = shake(server, client(null), name)) {
      X509Certificate shown = (X509Certificate) socket.getSession().getPeerCertificates()[0];
      return shown.getSubjectX500Principal().getName();
    }
  }

  private String negotiated(ServerTls tls, String protocol, String suite) throws Exception {
    try (Server server = new Server(tls);
        SSLSocket socket = connect(server, client(null))) {
      socket.setEnabledProtocols(new String[] {protocol});
      socket.setEnabledCipherSuites(new String[] {suite});
      socket.startHandshake();
      return socket.getSession().getCipherSuite();
    }
  }

  private static SSLSocket connect(Server server, SSLContext client) throws IOException {
    return (SSLSocket)
        client.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), server.port());
  }

  /** Reads the greeting too: with TLS 1.3 a refusal comes only after the client's handshake. */
  private static SSLSocket shake(Server server, SSLContext client, @Nullable String name)
      throws IOException {
    SSLSocket socket = connect(server, client);
    SSLParameters parameters = socket.getSSLParameters();
    parameters.setServerNames(name == null ? List.of() : List.of(new AnyName(octets(name))));
    socket.setSSLParameters(parameters);
    socket.setSoTimeout(10_000);
    socket.startHandshake();
    if (socket.getInputStream().read() != 'x') throw new SSLException("refused");
    return socket;
  }

  private static byte[] octets(String name) {
    return name.getBytes(java.nio.charset.StandardCharsets.US_ASCII);
  }

  private SSLContext client(@Nullable Issued own) throws Exception {
    SSLContext context = SSLContext.getInstance("TLS");
    KeyManager[] keys = null;
    if (own != null) {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(null, null);
      store.setKeyEntry(
          "own", own.keys().getPrivate(), new char[0], new Certificate[] {own.certificate()});
      KeyManagerFactory factory = KeyManagerFactory.getInstance("SunX509");
      factory.init(store, new char[0]);
      keys = factory.getKeyManagers();
    }
    context.init(keys, new TrustManager[] {new TrustAll()}, null);
    return context;
  }

  /** SNIHostName would check it. */
  private static final class AnyName extends SNIServerName {
    AnyName(byte[] octets) {
      super(0, octets);
    }
  }

  private static final class TrustAll implements X509TrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }

  /** Shakes hands with whoever comes, says {@code x}, and notes who it was. */
  private final class Server implements AutoCloseable {
    private final ServerSocket listening =
        new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
    private final ServerTls tls;

    Server(ServerTls tls) throws IOException {
      this.tls = tls;
      Thread.ofVirtual().start(this::accept);
    }

    int port() {
      return listening.getLocalPort();
    }

    private void accept() {
      while (!listening.isClosed()) {
        try {
          Socket socket = listening.accept();
          Thread.ofVirtual().start(() -> serve(socket));
        } catch (IOException e) {
          return;
        }
      }
    }

    private void serve(Socket socket) {
      try (socket) {
        InputStream in = socket.getInputStream();
        SSLSocket secured = tls.wrap(socket, ClientHello.read(in));
        secured.startHandshake();
        OutputStream out = secured.getOutputStream();
        out.write('x');
        out.flush();
        clientNames.add(tls.clientNames(secured.getSession()));
        secured.getInputStream().read();
      } catch (IOException e) {
        // the client's side of the test says what went wrong
      }
    }

    @Override
    public void close() throws IOException {
      listening.close();
    }
  }
}
