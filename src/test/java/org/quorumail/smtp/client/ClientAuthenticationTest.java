package org.quorumail.smtp.client;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.smtp.client.Login.Kind;

/** The replies of odd servers; {@code ClientLoginTest} logs in to our own server. */
class ClientAuthenticationTest {
  private static final Duration SOON = Duration.ofMillis(400);
  private static final SmtpTimeouts TIMEOUTS =
      new SmtpTimeouts(SOON, SOON, SOON, SOON, SOON, SOON, SOON, SOON);
  private static final EnhancedStatus REFUSED = new EnhancedStatus(4, 7, 8);

  private ScriptedServer server;

  @AfterEach
  void stop() throws IOException {
    server.close();
  }

  @Test
  void plainIsOneCommandAfterEhlo() throws IOException {
    start("PLAIN LOGIN", c -> "235 2.7.0 welcome");
    assertThat(open(password("pencil"))).isInstanceOf(ConnectResult.Connected.class);
    assertThat(server.commands())
        .containsExactly("EHLO here.test", "AUTH PLAIN " + base64("\0alice\0pencil"));
  }

  @Test
  void aLongSecretIsNotAnInitialResponse() throws IOException {
    String secret = "x".repeat(600);
    start("PLAIN", c -> c.equals("AUTH PLAIN") ? "334 " : "235 ok");
    assertThat(open(password(secret))).isInstanceOf(ConnectResult.Connected.class);
    assertThat(server.commands().getLast()).isEqualTo(base64("\0alice\0" + secret));
  }

  @Test
  void loginAnswersTwoPromptsHoweverTheyAreWorded() throws IOException {
    start("LOGIN", c -> c.equals(base64("pencil")) ? "235 ok" : "334 bm8gcHJvbXB0");
    assertThat(open(password("pencil"))).isInstanceOf(ConnectResult.Connected.class);
    assertThat(server.commands()).endsWith("AUTH LOGIN", base64("alice"), base64("pencil"));
  }

  @Test
  void aRefusedTokenIsAnsweredAndReported() throws IOException {
    start("XOAUTH2 PLAIN", c -> c.startsWith("AUTH") ? "334 e30=" : "535 5.7.8 no");
    ConnectResult result = open(new Login("alice", Kind.TOKEN, () -> "t0k", TlsRule.OPPORTUNISTIC));
    assertThat(((ConnectResult.LoginRefused) result).status()).isEqualTo(REFUSED);
    assertThat(server.commands())
        .endsWith("AUTH XOAUTH2 " + base64("user=alice\1auth=Bearer t0k\1\1"), "");
  }

  @Test
  void aRefusalNeverShowsTheSecretAndNamesTheAccountAndTheReply() throws IOException {
    start("PLAIN", c -> "535 5.7.8 wrong");
    assertThat(open(password("pencil")).toString())
        .contains("alice", "535 5.7.8 wrong")
        .doesNotContain("pencil", base64("\0alice\0pencil"));
  }

  @Test
  void aTemporaryRefusalIsNoAlarm() throws IOException {
    start("PLAIN", c -> "454 4.7.0 later");
    assertThat(open(password("pencil"))).isInstanceOf(ConnectResult.Unusable.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "GSSAPI CRAM-MD5", "XOAUTH2"})
  void withoutACommonMechanismNothingIsSent(String offered) throws IOException {
    start(offered, c -> "235 ok");
    assertThat(open(password("pencil"))).isInstanceOf(ConnectResult.LoginRefused.class);
    assertThat(server.commands()).containsExactly("EHLO here.test");
  }

  @Test
  void aSecretThatCannotBeReadIsReportedAndNothingIsSent() throws IOException {
    start("PLAIN", c -> "235 ok");
    Login login =
        new Login(
            "alice",
            Kind.PASSWORD,
            () -> {
              throw new IOException("route.login.password_file: no such file");
            },
            TlsRule.OPPORTUNISTIC);
    assertThat(open(login).toString()).contains("password_file: no such file");
    assertThat(server.commands()).containsExactly("EHLO here.test");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "235 2.7.0 welcome", // no proof of the server
        "334 !!!",
        "334 ",
        "334 " + "cj1vdGhlcixzPVUyRnNkQT09LGk9NDA5Ng==", // r=other: not our nonce
        ScriptedServer.CUT,
        ScriptedServer.SILENCE
      })
  void aServerThatDoesNotSpeakScramGetsNoMail(String answer) throws IOException {
    start("SCRAM-SHA-256 PLAIN", c -> answer);
    assertThat(open(password("pencil"))).isNotInstanceOf(ConnectResult.Connected.class);
    assertThat(server.commands()).noneMatch(c -> c.startsWith("AUTH PLAIN"));
  }

  @Test
  void aServerCannotChooseHowLongThisNodeHashes() throws IOException {
    start(
        "SCRAM-SHA-256",
        c -> {
          if (!c.startsWith("AUTH")) return "334 ";
          String first =
              new String(
                  Base64.getDecoder().decode(c.substring("AUTH SCRAM-SHA-256 ".length())), UTF_8);
          String nonce = first.substring(first.indexOf("r=") + 2);
          return "334 " + base64("r=" + nonce + "srv,s=U2FsdFNhbHQ=,i=2000000000");
        });
    assertThat(open(password("pencil")).toString()).contains("2000000000 iterations");
  }

  @Test
  void withoutTheTlsThatTheLoginNeedsNothingIsSent() throws IOException {
    start("PLAIN", c -> "235 ok");
    Login login = new Login("alice", Kind.PASSWORD, () -> "pencil", TlsRule.VERIFIED);
    ServerEndpoint peer =
        new ServerEndpoint("far.test", server.address(), false, TlsRule.VERIFIED, true, login);
    assertThat(new SmtpClient("here.test", TIMEOUTS).open(peer))
        .isInstanceOf(ConnectResult.TlsNotOffered.class);
    assertThat(server.commands()).containsExactly("EHLO here.test");
  }

  private void start(String mechanisms, UnaryOperator<String> auth) throws IOException {
    server =
        new ScriptedServer(
            c -> {
              if (List.of("CONNECT", "QUIT").contains(c)) return ScriptedServer.polite(c);
              if (!c.startsWith("EHLO")) return auth.apply(c);
              return mechanisms.isEmpty()
                  ? "250 far.test"
                  : "250-far.test\r\n250 AUTH " + mechanisms;
            });
  }

  private static Login password(String password) {
    return new Login("alice", Kind.PASSWORD, () -> password, TlsRule.OPPORTUNISTIC);
  }

  private ConnectResult open(Login login) {
    ServerEndpoint peer =
        new ServerEndpoint("far.test", server.address(), false, TlsRule.OPPORTUNISTIC, true, login);
    return new SmtpClient("here.test", TIMEOUTS).open(peer);
  }

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(UTF_8));
  }
}
