package org.quorumail.policy;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.quorumail.config.PolicyConfig.Consequence;
import org.quorumail.mail.MailAddress;
import org.quorumail.smtp.Escape;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A filter of others, held on a rein: each call has a longest time, and a call that throws or is
 * late has the configured consequence. A late call is interrupted; calls that ignore this are
 * bounded in number, above which the filter counts as failed at once.
 */
public final class GuardedFilter implements MessageFilter {
  private static final Logger LOG = LoggerFactory.getLogger(GuardedFilter.class);

  /** As many as sessions may wait for a slow filter at a time; a call costs some kilobytes. */
  private static final int CALLS_MAX = 2_000;

  private final MessageFilter filter;
  private final Duration timeout;
  private final Consequence onFailure;
  private final Semaphore calls;

  public GuardedFilter(MessageFilter filter, Duration timeout, Consequence onFailure) {
    this(filter, timeout, onFailure, new Semaphore(CALLS_MAX));
  }

  private GuardedFilter(
      MessageFilter filter, Duration timeout, Consequence onFailure, Semaphore calls) {
    this.filter = filter;
    this.timeout = timeout;
    this.onFailure = onFailure;
    this.calls = calls;
  }

  @Override
  public String name() {
    return filter.name();
  }

  @Override
  public MessageFilter inSession(SessionView session) {
    return new GuardedFilter(filter.inSession(session), timeout, onFailure, calls);
  }

  @Override
  public Verdict connect(SessionView session) {
    return guarded("connect", () -> filter.connect(session));
  }

  @Override
  public Verdict ehlo(SessionView session) {
    return guarded("ehlo", () -> filter.ehlo(session));
  }

  @Override
  public Verdict mail(SessionView session) {
    return guarded("mail", () -> filter.mail(session));
  }

  @Override
  public Verdict rcpt(SessionView session, MailAddress recipient) {
    return guarded("rcpt", () -> filter.rcpt(session, recipient));
  }

  @Override
  public boolean readsContent(SessionView session) {
    return filter.readsContent(session);
  }

  @Override
  public Verdict data(SessionView session, MessageContent content) {
    return guarded("data", () -> filter.data(session, content));
  }

  @Override
  public void reset(SessionView session) {
    guarded("reset", () -> nothing(() -> filter.reset(session)));
  }

  @Override
  public void close(SessionView session) {
    guarded("close", () -> nothing(() -> filter.close(session)));
  }

  @Override
  public boolean judgesReputation() {
    return filter.judgesReputation();
  }

  private static Verdict nothing(Runnable call) {
    call.run();
    return Verdict.ACCEPT;
  }

  private Verdict guarded(String stage, Callable<Verdict> call) {
    if (!calls.tryAcquire()) return failure(stage, "too many of its calls are under way", null);
    FutureTask<Verdict> task =
        new FutureTask<>(
            () -> {
              try {
                return call.call();
              } finally {
                calls.release();
              }
            });
    Thread.ofVirtual().name("filter-" + name()).start(task);
    try {
      Verdict verdict = task.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
      return verdict == null ? failure(stage, "it gave no verdict", null) : verdict;
    } catch (TimeoutException e) {
      task.cancel(true);
      return failure(stage, "no verdict within " + timeout.toMillis() + " ms", null);
    } catch (ExecutionException e) {
      boolean expected = e.getCause() instanceof IOException;
      return failure(stage, String.valueOf(e.getCause()), expected ? null : e.getCause());
    } catch (InterruptedException e) {
      task.cancel(true);
      Thread.currentThread().interrupt();
      return failure(stage, "the node is stopping", null);
    }
  }

  private Verdict failure(
      String stage, String reason, @org.jspecify.annotations.Nullable Throwable cause) {
    LOG.warn(
        "event=filter_failed filter={} stage={} reason={}",
        name(),
        stage,
        Escape.quoted(reason),
        cause);
    return switch (onFailure) {
      case NONE, LOG -> Verdict.ACCEPT;
      case DEFER -> Verdict.defer(451, "4.7.1", "A filter is not available, try again later");
      case REJECT -> Verdict.reject(550, "5.7.1", "A filter is not available");
    };
  }
}
