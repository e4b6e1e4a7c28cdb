package org.quorumail.spool;

import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.quorumail.mail.QueueId;

/**
 * Orders of an operator about one message. They go through the log of its spool, so that any node
 * that holds a replica can give them. Each blocks until a quorum has it.
 */
public final class SpoolCommands {
  /** A person waits: longer than an election, shorter than patience. */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final List<Spool> spools;
  private final Clock clock;

  SpoolCommands(List<Spool> spools, Clock clock) {
    this.spools = spools;
    this.clock = clock;
  }

  /** What became of an order. */
  public enum Result {
    DONE,
    NO_SUCH_MESSAGE,
    /** A held message is not retried; release it. */
    HELD,
    /** Not known to be done. */
    NO_QUORUM
  }

  /** All its pending recipients are due at once. */
  public Result retry(QueueId id) {
    return order(id, new Entry.Retry(id, clock.millis()));
  }

  public Result hold(QueueId id) {
    return order(id, new Entry.Hold(id));
  }

  /** Ends a hold; the message is due at once. */
  public Result release(QueueId id) {
    return order(id, new Entry.Release(id, clock.millis()));
  }

  /** Takes the message out, without a report to anybody. */
  public Result remove(QueueId id) {
    return order(id, new Entry.Remove(id));
  }

  private Result order(QueueId id, Entry entry) {
    Optional<Spool> spool =
        spools.stream().filter(s -> s.store().message(id).isPresent()).findFirst();
    if (spool.isEmpty()) return Result.NO_SUCH_MESSAGE;
    try {
      Answer answer =
          spool.get().append(entry, PATIENCE).get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
      return switch (answer) {
        case DONE -> Result.DONE;
        case NO_SUCH_MESSAGE -> Result.NO_SUCH_MESSAGE;
        case HELD -> Result.HELD;
        case REFUSED, UNKNOWN -> Result.NO_QUORUM;
      };
    } catch (ExecutionException | TimeoutException e) {
      return Result.NO_QUORUM;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Result.NO_QUORUM;
    }
  }
}
