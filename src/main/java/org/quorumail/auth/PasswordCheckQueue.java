package org.quorumail.auth;

import java.net.InetAddress;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.quorumail.auth.SaslMechanism.SaslStep;
import org.quorumail.config.Network;

/**
 * The queue for password checks, which are slow: few run at the same time. The next check is that
 * whose client and name have the fewest recent failures and other checks, so a client that guesses,
 * or many that guess one name, wait behind everyone else. Thread-safe.
 */
final class PasswordCheckQueue {
  /** The longest wait for a place; then the login fails for now. */
  static final Duration TIMEOUT = Duration.ofSeconds(10);

  private static final Comparator<Check> ORDER =
      Comparator.<Check>comparingInt(c -> c.cost).thenComparingLong(c -> c.arrival);

  private final int places;
  private final int placesPerKey;
  private final Duration timeout;
  private final LoginFailures failures;
  private final ReentrantLock lock = new ReentrantLock();
  private final TreeSet<Check> waiting = new TreeSet<>(ORDER);
  private final Map<String, Load> loads = new HashMap<>(); // of checks that wait or run
  private int running;
  private long arrivals;

  /** The checks of one client, or for one name. */
  private static final class Load {
    private int waitingOrRunning;
    private int running;
  }

  private enum Turn {
    WAITING,
    RUNNING,
    LIMITED
  }

  /** One password check; guarded by the lock. */
  private static final class Check {
    private final InetAddress client;
    private final String name;
    private final String clientKey;
    private final String nameKey;
    private final Condition turnChanged;
    private Turn turn = Turn.WAITING;
    private int cost;
    private long arrival;

    Check(InetAddress client, String name, Condition turnChanged) {
      this.client = client;
      this.name = name;
      this.clientKey = "client " + Network.ofClient(client);
      this.nameKey = "name " + name;
      this.turnChanged = turnChanged;
    }
  }

  /**
   * @param places checks that run at the same time; one client or name has at most half of them
   */
  PasswordCheckQueue(int places, LoginFailures failures) {
    this(places, TIMEOUT, failures);
  }

  PasswordCheckQueue(int places, Duration timeout, LoginFailures failures) {
    this.places = places;
    this.placesPerKey = Math.max(1, places / 2);
    this.timeout = timeout;
    this.failures = failures;
  }

  /**
   * Runs a check when it is its turn.
   *
   * @return the step of the check; {@link SaslStep.Limited} without a check when the client or the
   *     name has too many failures by then; {@link SaslStep.Unavailable} when its turn does not
   *     come in time
   */
  SaslStep run(InetAddress client, String name, Supplier<SaslStep> passwordCheck) {
    Check check = new Check(client, name, lock.newCondition());
    return switch (awaitTurn(check)) {
      case WAITING -> new SaslStep.Unavailable("too many logins at once");
      case LIMITED -> new SaslStep.Limited(name);
      case RUNNING -> {
        try {
          yield passwordCheck.get();
        } finally {
          end(check);
        }
      }
    };
  }

  /** The number of checks that wait. */
  int waiting() {
    lock.lock();
    try {
      return waiting.size();
    } finally {
      lock.unlock();
    }
  }

  private Turn awaitTurn(Check check) {
    lock.lock();
    try {
      check.cost = cost(check);
      check.arrival = arrivals++;
      load(check.clientKey).waitingOrRunning++;
      load(check.nameKey).waitingOrRunning++;
      waiting.add(check);
      startChecks();
      long left = timeout.toNanos();
      try {
        while (check.turn == Turn.WAITING && left > 0) left = check.turnChanged.awaitNanos(left);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt(); // the caller sees an unavailable login
      }
      if (check.turn == Turn.WAITING) {
        waiting.remove(check);
        unload(check);
      }
      return check.turn;
    } finally {
      lock.unlock();
    }
  }

  private void end(Check check) {
    lock.lock();
    try {
      running--;
      load(check.clientKey).running--;
      load(check.nameKey).running--;
      unload(check);
      startChecks();
    } finally {
      lock.unlock();
    }
  }

  private void startChecks() {
    while (running < places) {
      Check next = next();
      if (next == null) return;
      waiting.remove(next);
      if (failures.isBlocked(next.client) || failures.isBlocked(next.client, next.name)) {
        next.turn = Turn.LIMITED;
        unload(next);
      } else {
        next.turn = Turn.RUNNING;
        running++;
        load(next.clientKey).running++;
        load(next.nameKey).running++;
      }
      next.turnChanged.signal();
    }
  }

  private @Nullable Check next() {
    for (Check check : waiting) {
      if (load(check.clientKey).running < placesPerKey
          && load(check.nameKey).running < placesPerKey) {
        return check;
      }
    }
    return null;
  }

  /**
   * The failures of the window and the present checks of the client or the name, whichever has
   * more. The guesses of others do not count against a client that has logged in with this name.
   */
  private int cost(Check check) {
    int ofClient = failures.count(check.client) + load(check.clientKey).waitingOrRunning;
    if (failures.isProven(check.client, check.name)) return ofClient - 1;
    int ofName = failures.count(check.name) + load(check.nameKey).waitingOrRunning;
    return Math.max(ofClient, ofName);
  }

  private Load load(String key) {
    return loads.computeIfAbsent(key, k -> new Load());
  }

  private void unload(Check check) {
    unload(check.clientKey);
    unload(check.nameKey);
  }

  private void unload(String key) {
    if (--load(key).waitingOrRunning == 0) loads.remove(key);
  }
}
