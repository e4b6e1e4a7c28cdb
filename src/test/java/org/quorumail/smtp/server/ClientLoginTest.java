package org.quorumail.smtp.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.quorumail.smtp.TestCertificates;
import org.quorumail.smtp.client.ConnectResult;
import org.quorumail.smtp.client.Login;
import org.quorumail.smtp.client.ServerEndpoint;
import org.quorumail.smtp.client.SmtpClient;
import org.quorumail.smtp.client.SmtpTimeouts;
import org.quorumail.smtp.client.TlsRule;
import org.quorumail.tls.ServerTls;

/** Our client logs in to our server, whose SCRAM is a second implementation. */
class ClientLoginTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final SmtpTimeouts TIMEOUTS =
      new SmtpTimeouts(
          PATIENCE, PATIENCE, PATIENCE, PATIENCE, PATIENCE, PATIENCE, PATIENCE, PATIENCE);

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"opportunistic", "encrypted"})
  void scramBindsTheLoginToTheConnectionWhereThereIsTls(String tls) throws Exception {
    TestCertificates.write(folder, "mx.test.example");
    ServerTls certificate =
        ServerTls.of(
            folder.resolve("mx.test.example.pem"), folder.resolve("mx.test.example.key"), "1.2");
    try (TestListener server = TestListener.withTls(certificate, "auth=always")) {
      assertThat(login(server, "pencil", TlsRule.valueOf(tls.toUpperCase(Locale.ROOT))))
          .isInstanceOf(ConnectResult.Connected.class);
    }
  }

  @Test
  void scramWithoutTls() throws IOException {
    try (TestListener server = TestListener.with("auth=always")) {
      assertThat(login(server, "pencil", TlsRule.OPPORTUNISTIC))
          .isInstanceOf(ConnectResult.Connected.class);
    }
  }

  @Test
  void aWrongPasswordIsRefused() throws IOException {
    try (TestListener server = TestListener.with("auth=always")) {
      assertThat(login(server, "pen", TlsRule.OPPORTUNISTIC).toString())
          .startsWith("LoginRefused[status=4.7.8")
          .contains("535");
    }
  }

  private static ConnectResult login(TestListener server, String password, TlsRule tls) {
    Login login = new Login("alice@local.example", Login.Kind.PASSWORD, () -> password, tls);
    ServerEndpoint peer =
        new ServerEndpoint(
            "mx.test.example",
            new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port()),
            false,
            tls,
            true,
            login);
    return new SmtpClient("here.test", TIMEOUTS).open(peer);
  }
}
