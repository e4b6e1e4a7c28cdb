package org.quorumail.policy;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.MailAddress;
import org.quorumail.policy.PolicyConfig.Consequence;
import org.quorumail.smtp.Escape;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An extension filter whose calls are limited in time. A call that throws or is late has the
 * configured consequence. A late call is interrupted. Calls that ignore the interrupt are bounded
 * in number; above the bound, further calls fail at once.
 */
public final class TimeLimitedFilter implements MessageFilter {
  private static final Logger LOG = LoggerFactory.getLogger(TimeLimitedFilter.class);

  /** Calls that may run at the same time; each costs some kilobytes. */
  private static final int MAX_CALLS = 2_000;

  private final MessageFilter filter;
  private final String name;
  private final Duration timeout;
  private final Consequence onFailure;
  private final Semaphore callPermits;

  public TimeLimitedFilter(MessageFilter filter, Duration timeout, Consequence onFailure) {
    this(filter, nameOf(filter), timeout, onFailure, new Semaphore(MAX_CALLS));
  }

  private TimeLimitedFilter(
      MessageFilter filter,
      String name,
      Duration timeout,
      Consequence onFailure,
      Semaphore callPermits) {
    this.filter = filter;
    this.name = name;
    this.timeout = timeout;
    this.onFailure = onFailure;
    this.callPermits = callPermits;
  }

  private static String nameOf(MessageFilter filter) {
    try {
      return filter.name();
    } catch (RuntimeException | LinkageError e) {
      return filter.getClass().getSimpleName();
    }
  }

  @Override
  public String name() {
    return name;
  }

  /** Opens the part of a session. A filter that cannot open one fails at connect, once. */
  @Override
  public MessageFilter inSession(SessionView session) {
    MessageFilter part =
        callWithinTimeout("session", () -> filter.inSession(session))
            .orElseGet(() -> new FailedFilter(consequence()));
    return part instanceof FailedFilter
        ? part
        : new TimeLimitedFilter(part, name, timeout, onFailure, callPermits);
  }

  private record FailedFilter(Verdict consequence) implements MessageFilter {
    @Override
    public Verdict connect(SessionView session) {
      return consequence;
    }

    @Override
    public boolean readsContent(SessionView session) {
      return false;
    }
  }

  @Override
  public Verdict connect(SessionView session) {
    return verdict("connect", () -> filter.connect(session));
  }

  @Override
  public Verdict ehlo(SessionView session) {
    return verdict("ehlo", () -> filter.ehlo(session));
  }

  @Override
  public Verdict mail(SessionView session) {
    return verdict("mail", () -> filter.mail(session));
  }

  @Override
  public Verdict rcpt(SessionView session, MailAddress recipient) {
    return verdict("rcpt", () -> filter.rcpt(session, recipient));
  }

  @Override
  public boolean readsContent(SessionView session) {
    // without an answer data() is called, and fails in its own way
    return callWithinTimeout("readsContent", () -> filter.readsContent(session)).orElse(true);
  }

  @Override
  public Verdict data(SessionView session, MessageContent content) {
    return verdict("data", () -> filter.data(session, content));
  }

  @Override
  public void reset(SessionView session) {
    verdict("reset", () -> acceptAfter(() -> filter.reset(session)));
  }

  @Override
  public void close(SessionView session) {
    verdict("close", () -> acceptAfter(() -> filter.close(session)));
  }

  @Override
  public boolean judgesReputation() {
    return filter.judgesReputation();
  }

  private static Verdict acceptAfter(Runnable call) {
    call.run();
    return Verdict.ACCEPT;
  }

  private Verdict verdict(String stage, Callable<Verdict> call) {
    return callWithinTimeout(stage, call).orElseGet(this::consequence);
  }

  /** The result of a call; empty, and logged, when the call throws or is late. */
  private <T> Optional<T> callWithinTimeout(String stage, Callable<T> call) {
    if (!callPermits.tryAcquire())
      return logFailure(stage, "more than " + MAX_CALLS + " of its calls are running");
    FutureTask<T> task = new FutureTask<>(call);
    Thread.ofVirtual().name("filter-" + name).start(() -> runAndRelease(task));
    try {
      T answer = task.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
      return answer == null ? logFailure(stage, "it returned null") : Optional.of(answer);
    } catch (TimeoutException e) {
      task.cancel(true);
      return logFailure(stage, "no answer within " + timeout.toMillis() + " ms");
    } catch (ExecutionException e) {
      LOG.debug("event=filter_failed filter={} stage={}", name, stage, e.getCause());
      return logFailure(stage, describe(e.getCause()));
    } catch (InterruptedException e) {
      task.cancel(true);
      Thread.currentThread().interrupt();
      return logFailure(stage, "the node is stopping");
    }
  }

  /** Releases the permit of a call even if the call was cancelled before its thread ran. */
  private void runAndRelease(FutureTask<?> task) {
    try {
      task.run();
    } finally {
      callPermits.release();
      assert callPermits.availablePermits() <= MAX_CALLS : "a permit was released twice";
    }
  }

  /** The calls that are running, late ones included. */
  int runningCalls() {
    return MAX_CALLS - callPermits.availablePermits();
  }

  /** The exception and its place, so the filter's author needs no trace in the log. */
  private static String describe(@Nullable Throwable thrown) {
    if (thrown == null) return "it failed";
    StackTraceElement[] trace = thrown.getStackTrace();
    return thrown + (trace.length == 0 ? "" : " at " + trace[0]);
  }

  private <T> Optional<T> logFailure(String stage, String reason) {
    LOG.warn(
        "event=filter_failed filter={} stage={} reason={}", name, stage, Escape.quoted(reason));
    return Optional.empty();
  }

  private Verdict consequence() {
    return switch (onFailure) {
      case NONE, LOG -> Verdict.ACCEPT;
      case DEFER -> Verdict.defer(451, "4.7.1", "A filter is not available, try again later");
      case REJECT -> Verdict.reject(550, "5.7.1", "A filter is not available");
    };
  }
}
