package org.quorumail.delivery.local;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.Outcome;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.ReversePath;

class LocalTargetTest {
  private static final String CONTENT =
      "Subject: hello\r\n\r\nbody\r\nFrom here on\r\n>From there\r\n";

  /** The node's own account where it may run programs; else one that root can act for. */
  private static final MailboxAccount ACCOUNT =
      System.getProperty("user.name").equals("root")
          ? MailboxAccount.parse("nobody")
          : MailboxAccount.OF_NODE;

  @TempDir Path folder;

  @Test
  void aMaildirGetsOneFileWithTheEnvelopeInFront() throws IOException {
    Maildir maildir = maildir("{domain}/{user}");
    assertThat(deliver(maildir, "Bob@d.test", CONTENT)).isInstanceOf(Outcome.Delivered.class);
    Path mailbox = folder.resolve("d.test/bob");
    Path file = onlyFile(mailbox.resolve("new"));
    assertThat(file)
        .hasContent(
            """
            Return-Path: <from@here.test>
            Delivered-To: Bob@d.test
            Subject: hello

            body
            From here on
            >From there
            """);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(mailbox)))
        .isEqualTo("rwx------");
    assertThat(mailbox.resolve("cur")).isEmptyDirectory();
    assertThat(mailbox.resolve("tmp")).isEmptyDirectory();
  }

  @Test
  void aDeliveryThatACrashRepeatsReplacesItsFile() throws IOException {
    Maildir maildir = maildir("{user}");
    LocalMessage message = message("bob@d.test", CONTENT);
    maildir.deliver(message, () -> true);
    maildir.deliver(message, () -> true);
    assertThat(onlyFile(folder.resolve("bob/new"))).isRegularFile();
  }

  @Test
  void withoutTheLeaseNothingIsDelivered() throws IOException {
    LocalMessage message = message("bob@d.test", CONTENT);
    assertThat(maildir("{user}").deliver(message, () -> false))
        .isInstanceOf(LocalResult.Denied.class);
    assertThat(folder.resolve("bob/new")).isEmptyDirectory();
    assertThat(folder.resolve("bob/tmp")).isEmptyDirectory();
    assertThat(mbox("{user}.mbox").deliver(message, () -> false))
        .isInstanceOf(LocalResult.Denied.class);
    assertThat(folder.resolve("bob.mbox")).isEmptyFile();
    Path trace = writableTrace();
    assertThat(program("touch " + trace).deliver(message, () -> false))
        .isInstanceOf(LocalResult.Denied.class);
    assertThat(trace).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(strings = {"\"../bob\"@d.test", "\"a/b\"@d.test", "../bob@d.test", ".bob@d.test"})
  void noLocalPartLeadsOutOfTheFolder(String recipient) throws IOException {
    for (LocalTarget target :
        List.of(maildir("in/{user}"), mbox("in/{user}"), mbox("in/{recipient}"))) {
      Files.createDirectories(folder.resolve("in"));
      Outcome outcome = deliver(target, recipient, CONTENT);
      assertThat(outcome).isInstanceOf(Outcome.Failed.class);
      assertThat(outcome.status()).hasToString("5.1.3");
    }
    try (Stream<Path> outside = Files.list(folder)) {
      assertThat(outside).containsExactly(folder.resolve("in"));
    }
  }

  @Test
  void aLinkInTheWayIsNotFollowed() throws IOException {
    Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
    Files.createDirectory(folder.resolve("in"));
    Files.createSymbolicLink(folder.resolve("in/bob"), elsewhere);
    assertThat(deliver(maildir("in/{user}"), "bob@d.test", CONTENT))
        .isInstanceOf(Outcome.Deferred.class);
    assertThat(deliver(mbox("in/{user}"), "bob@d.test", CONTENT))
        .isInstanceOf(Outcome.Deferred.class);
    assertThat(elsewhere).isEmptyDirectory();
  }

  @Test
  void aDiskThatIsNotMountedDefers() {
    Outcome outcome = deliver(maildir("missing/{user}"), "bob@d.test", CONTENT);
    assertThat(outcome).isInstanceOf(Outcome.Deferred.class);
    assertThat(outcome.diagnostic()).contains("missing does not exist");
  }

  @Test
  void aMessageThatWasDeliveredToTheAddressBeforeIsInALoop() {
    String content = "Subject: x\r\nDelivered-To: BOB@d.test\r\n\r\n";
    for (LocalTarget target : List.of(maildir("{user}"), mbox("{user}.mbox"), program("cat"))) {
      assertThat(deliver(target, "bob@d.test", content).status()).hasToString("5.4.6");
      assertThat(deliver(target, "eve@d.test", content)).isInstanceOf(Outcome.Delivered.class);
    }
    String inBody = "Subject: x\r\n\r\nDelivered-To: bob@d.test\r\n";
    assertThat(deliver(maildir("{user}-2"), "bob@d.test", inBody))
        .isInstanceOf(Outcome.Delivered.class);
  }

  @Test
  void contentThatCannotBeReadIsDeliveredNowhere() throws IOException {
    for (LocalTarget target : List.of(maildir("{user}"), mbox("{user}.mbox"), program("cat"))) {
      assertThat(target.deliver(unreadable(), () -> true))
          .isInstanceOf(LocalResult.Unreadable.class);
    }
    assertThat(folder.resolve("bob/new")).isEmptyDirectory();
    assertThat(folder.resolve("bob.mbox")).isEmptyFile();
  }

  @Test
  void anMboxKeepsItsMessagesApart() throws IOException {
    Mbox mbox = mbox("{user}");
    assertThat(deliver(mbox, "bob@d.test", CONTENT)).isInstanceOf(Outcome.Delivered.class);
    assertThat(deliver(mbox, "bob@d.test", "From the first line\r\n\r\nFrom"))
        .isInstanceOf(Outcome.Delivered.class);
    String all = Files.readString(folder.resolve("bob"));
    String line = "From from@here\\.test \\w{3} \\w{3} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d \\d{4}\n";
    String fields = "Return-Path: <from@here\\.test>\nDelivered-To: bob@d\\.test\n";
    assertThat(all)
        .matches(
            line
                + fields
                + "Subject: hello\n\nbody\n>From here on\n>>From there\n\n"
                + line
                + fields
                + ">From the first line\n\nFrom\n\n");
    assertThat(folder.resolve("bob.lock")).doesNotExist();
  }

  @Test
  void deliveriesToOneMboxWaitForEachOther() throws Exception {
    Mbox mbox = mbox("{user}");
    List<Callable<Outcome>> deliveries =
        IntStream.range(0, 20)
            .<Callable<Outcome>>mapToObj(i -> () -> deliver(mbox, "bob@d.test", CONTENT))
            .toList();
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      for (Future<Outcome> done : threads.invokeAll(deliveries))
        assertThat(done.get()).isInstanceOf(Outcome.Delivered.class);
    }
    assertThat(Files.readAllLines(folder.resolve("bob")))
        .filteredOn(l -> l.startsWith("From "))
        .hasSize(20);
  }

  @Test
  void aLockThatAProgramLeftBehindIsRemoved() throws IOException {
    Path lock = Files.createFile(folder.resolve("bob.lock"));
    Files.setLastModifiedTime(lock, FileTime.from(Instant.now().minusSeconds(600)));
    assertThat(deliver(mbox("{user}"), "bob@d.test", CONTENT))
        .isInstanceOf(Outcome.Delivered.class);
  }

  /** The codes of sysexits.h as Postfix's pipe(8) takes them. */
  @ParameterizedTest
  @CsvSource({
    "0, Delivered, 2.0.0", "1, Failed, 5.3.0", "64, Failed, 5.3.0", "65, Failed, 5.6.0",
    "67, Failed, 5.1.1", "68, Failed, 5.1.2", "69, Failed, 5.3.0", "71, Deferred, 4.3.0",
    "73, Failed, 5.2.0", "74, Deferred, 4.3.0", "75, Deferred, 4.3.0", "76, Failed, 5.5.0",
    "77, Failed, 5.7.0", "78, Failed, 5.3.5"
  })
  void theExitCodeOfAProgramIsTheOutcome(int code, String outcome, String status) {
    Outcome result = deliver(shell("echo words; exit " + code), "bob@d.test", CONTENT);
    assertThat(result.getClass().getSimpleName()).isEqualTo(outcome);
    assertThat(result.status()).hasToString(status);
    assertThat(result.diagnostic()).endsWith(": words");
  }

  @Test
  void aStatusInTheOutputIsMorePreciseThanTheExitCode() {
    Outcome result = deliver(shell("echo 4.2.2 full; exit 1"), "bob@d.test", CONTENT);
    assertThat(result).isInstanceOf(Outcome.Deferred.class);
    assertThat(result.status()).hasToString("4.2.2");
  }

  @Test
  void aProgramThatDiesOrDoesNotExistDefers() {
    assertThat(deliver(shell("kill -9 $$"), "bob@d.test", CONTENT))
        .isInstanceOf(Outcome.Deferred.class);
    Outcome missing =
        deliver(Pipe.parse("/no/such/program").withAccount(ACCOUNT), "bob@d.test", CONTENT);
    assertThat(missing).isNotInstanceOf(Outcome.Delivered.class);
  }

  @Test
  void argumentsAreNeverReadByAShell() {
    Pipe pipe =
        Pipe.parse("/usr/bin/printf '%s|' {recipient} \"{sender} x\" {user} {domain} {queue_id}")
            .withAccount(ACCOUNT);
    LocalMessage message = message("$(id);a`b`@d.test", CONTENT);
    assertThat(outcome(pipe.deliver(message, () -> true)).diagnostic())
        .endsWith(": $(id);a`b`@d.test|from@here.test x|$(id);a`b`|d.test|" + message.id() + "|");
  }

  @Test
  void anAddressIsNeverAnOption() {
    Outcome result = deliver(program("cat {recipient}"), "-rf@d.test", CONTENT);
    assertThat(result).isInstanceOf(Outcome.Failed.class);
    assertThat(result.status()).hasToString("5.1.3");
  }

  @Test
  void aProgramReadsTheMessage() {
    Outcome result = deliver(program("cat"), "bob@d.test", "Subject: x\r\n\r\n");
    assertThat(result.diagnostic())
        .endsWith("Return-Path: <from@here.test>\\x0aDelivered-To: bob@d.test\\x0aSubject: x");
  }

  @Test
  void aProgramNeedNotReadTheMessage() {
    String large = "x".repeat(200_000);
    assertThat(deliver(program("true"), "bob@d.test", large)).isInstanceOf(Outcome.Delivered.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"sleep 60", "sleep 60 & wait", "yes", "exec cat /dev/zero"})
  void aProgramWithoutEndIsKilled(String script) {
    Pipe pipe = shell(script).withTimeout(Duration.ofMillis(500));
    long start = System.nanoTime();
    Outcome result = deliver(pipe, "bob@d.test", CONTENT);
    assertThat(result).isInstanceOf(Outcome.Deferred.class);
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(20));
  }

  @Test
  void theEnvironmentOfTheNodeIsNotTheProgramsOwn() {
    Outcome result = deliver(program("env"), "bob@d.test", CONTENT);
    assertThat(result.diagnostic()).endsWith(": PATH=/usr/local/bin:/usr/bin:/bin");
  }

  @Test
  void rootActsForAnotherAccountAndNobodyElseDoes() throws IOException {
    MailboxAccount nobody = MailboxAccount.parse("nobody");
    Path in = Files.createDirectory(folder.resolve("in"));
    Outcome result = deliver(maildir("in/{user}").withAccount(nobody), "bob@d.test", CONTENT);
    if (!System.getProperty("user.name").equals("root")) {
      assertThat(result).isInstanceOf(Outcome.Deferred.class);
      return;
    }
    assertThat(Files.getOwner(in.resolve("bob"))).hasToString("nobody");
    assertThat(Files.getOwner(onlyFile(in.resolve("bob/new")))).hasToString("nobody");
    assertThat(deliver(program("id -un"), "bob@d.test", CONTENT).diagnostic()).endsWith(": nobody");
    Outcome asRoot = deliver(Pipe.parse("/usr/bin/id"), "bob@d.test", CONTENT);
    assertThat(asRoot).isInstanceOf(Outcome.Deferred.class);
    assertThat(asRoot.diagnostic()).contains("never run as root");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "bin/program", "/bin/a {nobody}", "/bin/{user}", "/bin/a {user", "/a b\"c\""})
  void aCommandThatMeansNothingIsRefused(String command) {
    assertThatThrownBy(() -> Pipe.parse(command)).isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "relative/{user}", "/var/../{user}", "/var/{sender}", "/var/{user}/"})
  void aPathThatMeansNothingIsRefused(String path) {
    assertThatThrownBy(() -> MailboxPath.parse("mbox", path))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private Maildir maildir(String path) {
    return new Maildir(new MailboxPath(folder + "/" + path), MailboxAccount.OF_NODE);
  }

  private Mbox mbox(String path) {
    return new Mbox(new MailboxPath(folder + "/" + path), MailboxAccount.OF_NODE);
  }

  private static Pipe program(String command) {
    return Pipe.parse("/usr/bin/env " + command).withAccount(ACCOUNT);
  }

  private static Pipe shell(String script) {
    return new Pipe(List.of("/bin/sh", "-c", script), ACCOUNT, Pipe.DEFAULT_TIMEOUT);
  }

  private Path writableTrace() {
    return folder.resolve("trace");
  }

  private static Outcome deliver(LocalTarget target, String recipient, String content) {
    return outcome(LocalThread.deliver(target, message(recipient, content), () -> true));
  }

  private static Outcome outcome(LocalResult result) {
    assertThat(result).isInstanceOf(LocalResult.Decided.class);
    return ((LocalResult.Decided) result).outcome();
  }

  private static LocalMessage message(String recipient, String content) {
    return new LocalMessage(
        QueueId.generate(Instant.now()),
        0,
        ReversePath.of("from@here.test"),
        MailAddress.of(recipient),
        () -> new ByteArrayInputStream(content.getBytes(UTF_8)));
  }

  /** A message whose content ends by a fault of the disk after the part that is read first. */
  private static LocalMessage unreadable() {
    InputStream content =
        new InputStream() {
          private int left = 400_000;

          @Override
          public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0];
          }

          @Override
          public int read(byte[] bytes, int offset, int length) throws IOException {
            if (left <= 0) throw new IOException("a bad block");
            int count = Math.min(left, length);
            Arrays.fill(bytes, offset, offset + count, (byte) 'x');
            left -= count;
            return count;
          }
        };
    return new LocalMessage(
        QueueId.generate(Instant.now()),
        0,
        ReversePath.of(""),
        MailAddress.of("bob@d.test"),
        () -> content);
  }

  private static Path onlyFile(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      List<Path> all = files.toList();
      assertThat(all).hasSize(1);
      return all.getFirst();
    }
  }
}
