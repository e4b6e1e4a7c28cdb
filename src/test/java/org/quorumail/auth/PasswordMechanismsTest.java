package org.quorumail.auth;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.quorumail.auth.SaslMechanism.SaslStep;

/** PLAIN and LOGIN. */
class PasswordMechanismsTest {
  private static final SaslStep WRONG = new SaslStep.Denied("alice", "wrong name or password");

  private final FakeUserStore users = FakeUserStore.with("alice", "pencil");

  @Test
  void plainTakesNameAndPassword() {
    assertThat(plain("\0alice\0pencil")).isInstanceOf(SaslStep.Authenticated.class);
    assertThat(plain("alice\0alice\0pencil")).isInstanceOf(SaslStep.Authenticated.class);
    assertThat(plain("\0Alice\0pencil")).isInstanceOf(SaslStep.Authenticated.class);
    assertThat(plain("\0alice\0Pencil")).isEqualTo(WRONG);
    assertThat(plain("\0bob\0pencil")).isInstanceOf(SaslStep.Denied.class);
  }

  /** T23. */
  @ParameterizedTest
  @ValueSource(
      strings = {"", "alice", "alice\0pencil", "\0alice\0pencil\0", "\0\0\0", "\0alice\0", "\0\0x"})
  void plainHasTwoNulsANameAndAPassword(String message) {
    assertThat(plain(message)).isInstanceOf(SaslStep.Malformed.class);
  }

  /** T23: RFC 4616 §2 allows acting as another user; this server does not. */
  @Test
  void aForeignIdentityIsDeniedEvenWithTheRightPassword() {
    assertThat(plain("bob\0alice\0pencil"))
        .isEqualTo(new SaslStep.Denied("alice", "asks to act as another user"));
    assertThat(plain("bob\0alice\0wrong")).isEqualTo(WRONG);
  }

  @Test
  void plainIsUtf8() {
    byte[] bytes = {0, 'a', (byte) 0xC3, (byte) 0x28, 0, 'p'};
    assertThat(new PlainMechanism(users.verifier()).evaluateResponse(bytes))
        .isInstanceOf(SaslStep.Malformed.class);
  }

  /** RFC 4013 §3: the soft hyphen vanishes, the Roman nine becomes letters. */
  @Test
  void namesAndPasswordsAreComparedAsSaslprepMakesThem() {
    FakeUserStore prepared = FakeUserStore.with("ix", "IX IX");
    SaslStep step =
        new PlainMechanism(prepared.verifier())
            .evaluateResponse(utf8("\0I\u00ADX\0I\u00ADX\u00A0\u2168"));
    assertThat(step).isInstanceOf(SaslStep.Authenticated.class);
    assertThat(SaslPrep.name("a\u0007b")).isEmpty();
    assertThat(SaslPrep.name("\u00AD")).isEmpty();
    assertThat(SaslPrep.name("\u06271")).isEmpty(); // bidirectional check, §2.4
  }

  @Test
  void whatIsTooLongIsNobodys() {
    assertThat(SaslPrep.name("x".repeat(256))).isEmpty();
    assertThat(plain("\0" + "x".repeat(9000) + "\0pencil")).isInstanceOf(SaslStep.Denied.class);
    assertThat(plain("\0alice\0" + "x".repeat(9000))).isEqualTo(WRONG);
  }

  @Test
  void loginAsksForNameThenPassword() {
    LoginMechanism login = new LoginMechanism(users.verifier());
    assertThat(login.initialChallenge()).asString().isEqualTo("Username:");
    SaslStep second = login.evaluateResponse(utf8("alice"));
    assertThat(((SaslStep.Challenge) second).data()).asString().isEqualTo("Password:");
    assertThat(login.evaluateResponse(utf8("pencil"))).isInstanceOf(SaslStep.Authenticated.class);
    LoginMechanism wrong = new LoginMechanism(users.verifier());
    wrong.evaluateResponse(utf8("alice"));
    assertThat(wrong.evaluateResponse(utf8("pen"))).isEqualTo(WRONG);
  }

  @Test
  void loginWithoutNameOrPasswordIsMalformed() {
    assertThat(new LoginMechanism(users.verifier()).evaluateResponse(new byte[0]))
        .isInstanceOf(SaslStep.Malformed.class);
    LoginMechanism login = new LoginMechanism(users.verifier());
    login.evaluateResponse(utf8("alice"));
    assertThat(login.evaluateResponse(new byte[0])).isInstanceOf(SaslStep.Malformed.class);
  }

  private SaslStep plain(String message) {
    return new PlainMechanism(users.verifier()).evaluateResponse(utf8(message));
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
