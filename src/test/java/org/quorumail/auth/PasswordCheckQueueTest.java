package org.quorumail.auth;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.auth.AuthConfig.AuthLimits;
import org.quorumail.auth.SaslMechanism.SaslStep;

/** Many guesses and one real user, with one or few places for slow hashes. */
class PasswordCheckQueueTest {
  private static final int GUESSES = 50;
  private static final int FAILURES_PER_ADDRESS = 30;
  private static final String REAL = "198.51.100.7";

  @TempDir private Path folder;

  private final LoginFailures failures =
      new LoginFailures(
          new AuthLimits(5, FAILURES_PER_ADDRESS, 100, Duration.ofMinutes(10), Duration.ZERO));
  private final PasswordCheckQueue queue =
      new PasswordCheckQueue(1, Duration.ofMinutes(1), failures);
  private final List<String> order = Collections.synchronizedList(new ArrayList<>());
  private final CountDownLatch placeFree = new CountDownLatch(1);
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

  @AfterEach
  void end() {
    placeFree.countDown();
    threads.shutdownNow();
  }

  @Test
  void aRealUserIsHashedBeforeTheGuessesOfOneClient() throws Exception {
    loginAmong(i -> guess("192.0.2.1", "user" + i), REAL, "alice");
    assertThat(order.indexOf("alice")).as("%s", order).isEqualTo(2);
  }

  @Test
  void theAddressesOfAnIpv6NetworkGuessAsOneClient() throws Exception {
    loginAmong(i -> guess("2001:db8::" + Integer.toHexString(i + 1), "user" + i), REAL, "alice");
    assertThat(order.indexOf("alice")).as("%s", order).isEqualTo(2);
  }

  @Test
  void aRealUserIsHashedBeforeTheGuessesOfManyClientsForOneName() throws Exception {
    loginAmong(i -> guess("192.0.2." + i, "bob"), REAL, "alice");
    assertThat(order.indexOf("alice")).as("%s", order).isEqualTo(2);
  }

  @Test
  void aUserWhoHasLoggedInFromHisAddressIsHashedBeforeTheGuessesForHisName() throws Exception {
    failures.recordSuccess(ip(REAL), "alice");
    loginAmong(i -> guess("192.0.2." + i, "alice"), REAL, "alice");
    assertThat(order.indexOf("alice from " + REAL)).as("%s", order).isEqualTo(1);
  }

  /** An account of his own does not help a guesser. */
  @Test
  void aProvenClientThatGuessesWaitsBehindOthers() throws Exception {
    failures.recordSuccess(ip("192.0.2.1"), "mallory");
    loginAmong(i -> guess("192.0.2.1", "mallory"), REAL, "alice");
    assertThat(order.indexOf("alice")).as("%s", order).isLessThanOrEqualTo(3);
  }

  @Test
  void failuresOfTheWindowCountAsGuesses() throws Exception {
    failures.recordFailure(ip("192.0.2.1"), "x");
    failures.recordFailure(ip("192.0.2.1"), "y");
    occupy();
    start(guess("192.0.2.1", "z"));
    soon().until(() -> queue.waiting() == 1);
    start(guess(REAL, "alice"));
    soon().until(() -> queue.waiting() == 2);
    placeFree.countDown();
    soon().until(() -> order.size() == 3);
    assertThat(order).containsExactly("occupant", "alice", "z");
  }

  @Test
  void aClientHasHalfOfThePlacesAndANameToo() throws Exception {
    PasswordCheckQueue four = new PasswordCheckQueue(4, failures);
    for (int i = 0; i < 5; i++) {
      String name = "user" + i;
      start(() -> four.run(ip("192.0.2.1"), name, () -> held(name)));
    }
    soon().until(() -> order.size() == 2 && four.waiting() == 3);
    for (int i = 0; i < 5; i++) {
      InetAddress client = ip("203.0.113." + i);
      start(() -> four.run(client, "bob", () -> held("bob")));
    }
    soon().until(() -> order.size() == 4 && four.waiting() == 6);
    assertThat(order).filteredOn("bob"::equals).hasSize(2);
  }

  @Test
  void guessesBeyondTheLimitAreNotHashed() throws Exception {
    occupy();
    List<Future<SaslStep>> guesses = new ArrayList<>();
    for (int i = 0; i < GUESSES; i++) {
      String name = "user" + i;
      guesses.add(
          threads.submit(
              () ->
                  queue.run(
                      ip("192.0.2.1"),
                      name,
                      () -> {
                        order.add(name);
                        failures.recordFailure(ip("192.0.2.1"), name);
                        return new SaslStep.Denied(name, "wrong");
                      })));
    }
    soon().until(() -> queue.waiting() == GUESSES);
    placeFree.countDown();
    int limited = 0;
    for (Future<SaslStep> guess : guesses) {
      if (guess.get() instanceof SaslStep.Limited) limited++;
    }
    assertThat(order).hasSize(1 + FAILURES_PER_ADDRESS);
    assertThat(limited).isEqualTo(GUESSES - FAILURES_PER_ADDRESS);
  }

  @Test
  void theTurnOfAGuessThatDoesNotComeInTimeIsGivenUp() throws Exception {
    PasswordCheckQueue impatient = new PasswordCheckQueue(1, Duration.ofMillis(50), failures);
    start(() -> impatient.run(ip("192.0.2.1"), "occupant", () -> held("occupant")));
    soon().until(() -> order.contains("occupant"));
    assertThat(impatient.run(ip("192.0.2.1"), "bob", () -> held("bob")))
        .isInstanceOf(SaslStep.Unavailable.class);
    assertThat(impatient.waiting()).isZero();
    placeFree.countDown();
    soon()
        .until(
            () -> impatient.run(ip(REAL), "alice", () -> held("alice")) instanceof SaslStep.Denied);
    assertThat(order).doesNotContain("bob");
  }

  /** The same through PLAIN and a users file, with the hash as the thing that is counted. */
  @Test
  void plainHashesARealUserBeforeGuesses() throws Exception {
    Path file = folder.resolve("users");
    new UsersFileEditor(file)
        .add(new NewUser("alice", "pencil", ScramKeys.MIN_ITERATIONS, List.of()), false);
    FileUserStore users =
        new FileUserStore(
            file,
            (password, salt, iterations) -> {
              held(password);
              return ScramKeys.derive(password, salt, iterations);
            });
    for (int i = 0; i < GUESSES; i++) {
      String password = "guess" + i;
      start(() -> plain(users, "192.0.2.1", "alice", password));
      int started = i;
      soon().until(() -> queue.waiting() == started && !order.isEmpty());
    }
    failures.recordSuccess(ip(REAL), "alice");
    Future<SaslStep> real = start(() -> plain(users, REAL, "alice", "pencil"));
    soon().until(() -> queue.waiting() == GUESSES);
    placeFree.countDown();
    assertThat(real.get()).isInstanceOf(SaslStep.Authenticated.class);
    soon().until(() -> order.size() == GUESSES + 1);
    assertThat(order.indexOf("pencil")).isEqualTo(1);
  }

  private static ConditionFactory soon() {
    return Awaitility.await()
        .pollInSameThread()
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(1));
  }

  /** One check runs, then all guesses wait, then the login of the real user; then all run. */
  private void loginAmong(IntFunction<Supplier<SaslStep>> guess, String client, String name)
      throws Exception {
    occupy();
    for (int i = 0; i < GUESSES; i++) {
      start(guess.apply(i));
      int started = i + 1;
      soon().until(() -> queue.waiting() == started);
    }
    start(
        () ->
            queue.run(
                ip(client),
                name,
                () -> held(failures.isProven(ip(client), name) ? name + " from " + client : name)));
    soon().until(() -> queue.waiting() == GUESSES + 1);
    placeFree.countDown();
    soon().until(() -> order.size() == GUESSES + 2);
  }

  private void occupy() {
    start(() -> queue.run(ip("203.0.113.99"), "occupant", () -> held("occupant")));
    soon().until(() -> order.contains("occupant"));
  }

  private Future<SaslStep> start(Supplier<SaslStep> login) {
    return threads.submit(login::get);
  }

  private Supplier<SaslStep> guess(String client, String name) {
    return () -> queue.run(ip(client), name, () -> held(name));
  }

  /** A hash that lasts until the place is to be free. */
  private SaslStep held(String entry) {
    order.add(entry);
    try {
      placeFree.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return new SaslStep.Denied(entry, "wrong");
  }

  private SaslStep plain(FileUserStore users, String client, String name, String password) {
    return new PlainMechanism(new PasswordVerifier(users, queue, ip(client)))
        .evaluateResponse(("\0" + name + "\0" + password).getBytes(StandardCharsets.UTF_8));
  }

  private static InetAddress ip(String text) {
    try {
      return InetAddress.getByName(text);
    } catch (java.net.UnknownHostException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
