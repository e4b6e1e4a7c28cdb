package org.quorumail.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.auth.UserStore.PasswordCheck;
import org.quorumail.mail.MailAddress;

/** Users in a file, and the editor of that file. */
class FileUserStoreTest {
  private static final int FAST = ScramKeys.MIN_ITERATIONS;

  @TempDir private Path folder;

  @Test
  void whoWasAddedCanLogInWithHisPasswordAndNoOther() throws Exception {
    add("alice@example.org", "pencil");
    FileUserStore users = new FileUserStore(file());
    assertThat(users.checkPassword("alice@example.org", "pencil"))
        .isInstanceOf(PasswordCheck.Correct.class);
    assertThat(users.checkPassword("alice@example.org", "pen"))
        .isInstanceOf(PasswordCheck.Wrong.class);
    assertThat(users.checkPassword("alice@example.org", "pencil"))
        .isInstanceOf(PasswordCheck.Correct.class);
    assertThat(users.checkPassword("bob@example.org", "pencil"))
        .isInstanceOf(PasswordCheck.Wrong.class);
    assertThat(users.scramCredentials("alice@example.org").user()).isPresent();
  }

  @Test
  void anUnknownNameCostsAsMuchHashingAsAWrongPassword() throws Exception {
    editor().add(new NewUser("alice", "pencil", 5000, List.of()), false);
    List<Integer> hashed = new ArrayList<>();
    FileUserStore users =
        new FileUserStore(
            file(),
            (password, salt, iterations) -> {
              hashed.add(iterations);
              assertThat(salt).hasSize(ScramKeys.SALT_BYTES);
              return ScramKeys.derive(password, salt, iterations);
            });
    users.checkPassword("alice", "wrong");
    users.checkPassword("nobody", "wrong");
    assertThat(hashed).containsExactly(5000, 5000);
  }

  @Test
  void aProvedPasswordIsNotHashedAgainUntilItChanges() throws Exception {
    add("alice", "pencil");
    List<String> hashed = new ArrayList<>();
    FileUserStore users =
        new FileUserStore(
            file(),
            (password, salt, iterations) -> {
              hashed.add(password);
              return ScramKeys.derive(password, salt, iterations);
            });
    assertThat(users.recentlyProved("alice", "pencil")).isEmpty();
    users.checkPassword("alice", "pencil");
    assertThat(users.recentlyProved("alice", "pencil")).isPresent();
    assertThat(users.recentlyProved("alice", "other")).isEmpty();
    users.checkPassword("alice", "other");
    assertThat(hashed).containsExactly("pencil", "other");
    assertThat(editor().add(new NewUser("alice", "new", FAST, List.of()), true)).isTrue();
    await().until(() -> users.checkPassword("alice", "pencil") instanceof PasswordCheck.Wrong);
    assertThat(users.recentlyProved("alice", "pencil")).isEmpty();
    assertThat(users.checkPassword("alice", "new")).isInstanceOf(PasswordCheck.Correct.class);
  }

  @Test
  void theMadeUpKeysOfANameAreTheSameAfterARestart() throws Exception {
    add("alice", "pencil");
    ScramKeys before = new FileUserStore(file()).scramCredentials("nobody").keys();
    ScramKeys after = new FileUserStore(file()).scramCredentials("nobody").keys();
    assertThat(after.salt()).isEqualTo(before.salt());
    assertThat(after.iterations()).isEqualTo(before.iterations());
    ScramKeys another = new FileUserStore(file()).scramCredentials("somebody").keys();
    assertThat(another.salt()).isNotEqualTo(before.salt());
  }

  @Test
  void theFileIsForItsOwnerOnlyAndShowsNoPassword() throws Exception {
    add("alice", "pencil");
    assertThat(Files.getPosixFilePermissions(file()))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));
    assertThat(Files.readString(file())).doesNotContain("pencil");
    Files.setPosixFilePermissions(file(), PosixFilePermissions.fromString("rw-r--r--"));
    add("bob", "pencil");
    assertThat(Files.getPosixFilePermissions(file()))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));
  }

  @Test
  void commentsAndOrderStayWhenUsersComeAndGo() throws Exception {
    add("alice", "pencil");
    Files.writeString(file(), Files.readString(file()) + "# the printers\n");
    add("printer", "paper");
    assertThat(editor().add(new NewUser("alice", "other", FAST, List.of()), false)).isFalse();
    assertThat(editor().remove("alice")).isTrue();
    assertThat(editor().remove("alice")).isFalse();
    List<String> lines = Files.readAllLines(file());
    assertThat(lines).hasSize(3);
    assertThat(lines.get(0)).startsWith("%secret ");
    assertThat(lines.get(1)).isEqualTo("# the printers");
    assertThat(lines.get(2)).startsWith("printer SCRAM-SHA-256$");
    assertThat(editor().list())
        .extracting(UsersFileEditor.ListedUser::name)
        .containsExactly("printer");
  }

  @Test
  void aRunningNodeSeesNewUsersAndABrokenFileChangesNothing() throws Exception {
    FileUserStore users = new FileUserStore(file()); // there is none yet
    assertThat(users.checkPassword("alice", "pencil")).isInstanceOf(PasswordCheck.Wrong.class);
    add("alice", "pencil");
    await().until(() -> users.findUser("alice").isPresent());
    Files.writeString(file(), "alice nonsense\n");
    await().during(Duration.ofMillis(1500)).until(() -> users.findUser("alice").isPresent());
    Files.delete(file());
    await().until(() -> users.findUser("alice").isEmpty());
  }

  @Test
  void anUnusableLineIsNamed() throws Exception {
    add("alice", "pencil");
    String good = Files.readString(file());
    for (String bad :
        List.of(
            "bob",
            "bob plain",
            "bob SCRAM-SHA-256$10:AAAAAAAAAAA=$AAAA:AAAA",
            "alice " + good.lines().toList().get(1).split(" ")[1],
            good.lines().toList().get(1).replace("alice", "bob") + " noaddress")) {
      Files.writeString(file(), good + bad + "\n");
      assertThatThrownBy(() -> new FileUserStore(file()))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("line 3")
          .hasMessageNotContaining(good.lines().toList().get(1).split("[$]")[2]);
    }
    Files.writeString(file(), good.lines().toList().get(1) + "\n");
    assertThatThrownBy(() -> new FileUserStore(file())).hasMessageContaining("%secret");
  }

  @Test
  void namesAndPasswordsThatCannotBeAreRefusedInWords() {
    for (String name : List.of("", "a b", "#a", "%a", "x".repeat(256), "a\u0000b")) {
      assertThatThrownBy(() -> new NewUser(name, "pencil", FAST, List.of()))
          .isInstanceOf(IllegalArgumentException.class);
    }
    for (String password : List.of("", "a\u0007", "x".repeat(1025))) {
      assertThatThrownBy(() -> new NewUser("alice", password, FAST, List.of()))
          .isInstanceOf(IllegalArgumentException.class);
    }
    assertThatThrownBy(() -> new NewUser("alice", "pencil", 1, List.of()))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new NewUser("alice", "pencil", FAST, List.of("nowhere")))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(new NewUser("alice", "pencil", FAST, List.of()).toString()).isEqualTo("alice");
  }

  @Test
  void aUserOwnsHisNameAndTheAddressesGivenToHim() throws Exception {
    List<String> given = List.of("Sales@example.org", "@example.net");
    editor().add(new NewUser("alice@example.org", "pencil", FAST, given), false);
    User alice = new FileUserStore(file()).findUser("alice@example.org").orElseThrow();
    assertThat(alice.maySendAs(MailAddress.of("Alice@Example.org"))).isTrue();
    assertThat(alice.maySendAs(MailAddress.of("sales@example.org"))).isTrue();
    assertThat(alice.maySendAs(MailAddress.of("anybody@example.net"))).isTrue();
    assertThat(alice.maySendAs(MailAddress.of("\"al\\ice\"@example.org"))).isTrue();
    assertThat(alice.maySendAs(MailAddress.of("\"sales\"@example.org"))).isTrue();
    assertThat(alice.maySendAs(MailAddress.of("\"al ice\"@example.org"))).isFalse();
    assertThat(alice.maySendAs(MailAddress.of("bob@example.org"))).isFalse();
    assertThat(alice.maySendAs(MailAddress.of("a@sub.example.net"))).isFalse();
  }

  private Path file() {
    return folder.resolve("users");
  }

  private UsersFileEditor editor() {
    return new UsersFileEditor(file());
  }

  private void add(String name, String password) {
    try {
      assertThat(editor().add(new NewUser(name, password, FAST, List.of()), false)).isTrue();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
