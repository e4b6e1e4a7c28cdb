package org.quorumail.auth;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.quorumail.auth.Mechanism.Step;

/** PLAIN and LOGIN. */
class PasswordMechanismsTest {
  private static final Step WRONG = new Step.Denied("alice", "wrong name or password");

  private final FixedUsers users = FixedUsers.with("alice", "pencil");

  @Test
  void plainTakesNameAndPassword() {
    assertThat(plain("\0alice\0pencil")).isInstanceOf(Step.Authenticated.class);
    assertThat(plain("alice\0alice\0pencil")).isInstanceOf(Step.Authenticated.class);
    assertThat(plain("\0Alice\0pencil")).isInstanceOf(Step.Authenticated.class);
    assertThat(plain("\0alice\0Pencil")).isEqualTo(WRONG);
    assertThat(plain("\0bob\0pencil")).isInstanceOf(Step.Denied.class);
  }

  /** T23. */
  @ParameterizedTest
  @ValueSource(
      strings = {"", "alice", "alice\0pencil", "\0alice\0pencil\0", "\0\0\0", "\0alice\0", "\0\0x"})
  void plainHasTwoNulsANameAndAPassword(String message) {
    assertThat(plain(message)).isInstanceOf(Step.Malformed.class);
  }

  /** T23: RFC 4616 §2 allows to act as another user; nobody here may. */
  @Test
  void aForeignIdentityIsDeniedEvenWithTheRightPassword() {
    assertThat(plain("bob\0alice\0pencil"))
        .isEqualTo(new Step.Denied("alice", "wants to act as somebody else"));
    assertThat(plain("bob\0alice\0wrong")).isEqualTo(WRONG);
  }

  @Test
  void plainIsUtf8() {
    byte[] bytes = {0, 'a', (byte) 0xC3, (byte) 0x28, 0, 'p'};
    assertThat(new Plain(users).next(bytes)).isInstanceOf(Step.Malformed.class);
  }

  /** RFC 4013 §3: the soft hyphen vanishes, the Roman nine becomes letters. */
  @Test
  void namesAndPasswordsAreComparedAsSaslprepMakesThem() {
    FixedUsers prepared = FixedUsers.with("ix", "IX IX");
    Step step = new Plain(prepared).next(utf8("\0I\u00ADX\0I\u00ADX\u00A0\u2168"));
    assertThat(step).isInstanceOf(Step.Authenticated.class);
    assertThat(Prepared.name("a\u0007b")).isEmpty();
    assertThat(Prepared.name("\u00AD")).isEmpty();
    assertThat(Prepared.name("\u06271")).isEmpty(); // bidirectional check, §2.4
  }

  @Test
  void whatIsTooLongIsNobodys() {
    assertThat(Prepared.name("x".repeat(256))).isEmpty();
    assertThat(plain("\0" + "x".repeat(9000) + "\0pencil")).isInstanceOf(Step.Denied.class);
    assertThat(plain("\0alice\0" + "x".repeat(9000))).isEqualTo(WRONG);
  }

  @Test
  void loginAsksForNameThenPassword() {
    Login login = new Login(users);
    assertThat(login.prompt()).asString().isEqualTo("Username:");
    Step second = login.next(utf8("alice"));
    assertThat(((Step.Challenge) second).data()).asString().isEqualTo("Password:");
    assertThat(login.next(utf8("pencil"))).isInstanceOf(Step.Authenticated.class);
    Login wrong = new Login(users);
    wrong.next(utf8("alice"));
    assertThat(wrong.next(utf8("pen"))).isEqualTo(WRONG);
  }

  @Test
  void loginWithoutNameOrPasswordIsMalformed() {
    assertThat(new Login(users).next(new byte[0])).isInstanceOf(Step.Malformed.class);
    Login login = new Login(users);
    login.next(utf8("alice"));
    assertThat(login.next(new byte[0])).isInstanceOf(Step.Malformed.class);
  }

  private Step plain(String message) {
    return new Plain(users).next(utf8(message));
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
