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
 * The commands of an operator about one message. They go through the log of its spool, so any node
 * with a replica can run them. Each blocks until a quorum has it.
 */
public final class SpoolCommands {
  /** A person waits: longer than an election, but not for long. */
  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  private final List<Spool> spools;
  private final Clock clock;

  SpoolCommands(List<Spool> spools, Clock clock) {
    this.spools = spools;
    this.clock = clock;
  }

  /** The status of a command when it returns. */
  public enum CommandStatus {
    DONE,
    NO_SUCH_MESSAGE,
    /** A held message is not retried; release it. */
    HELD,
    /** The command is not known to be committed. */
    NO_QUORUM
  }

  /** Makes all pending recipients due at once. */
  public CommandStatus retry(QueueId id) {
    return append(id, new SpoolEntry.Retry(id, clock.millis()));
  }

  public CommandStatus hold(QueueId id) {
    return append(id, new SpoolEntry.Hold(id));
  }

  /** Ends a hold; the message is due at once. */
  public CommandStatus release(QueueId id) {
    return append(id, new SpoolEntry.Release(id, clock.millis()));
  }

  /** Removes the message without a DSN to anybody. */
  public CommandStatus remove(QueueId id) {
    return append(id, new SpoolEntry.Remove(id));
  }

  private CommandStatus append(QueueId id, SpoolEntry entry) {
    Optional<Spool> spool =
        spools.stream().filter(s -> s.store().message(id).isPresent()).findFirst();
    if (spool.isEmpty()) return CommandStatus.NO_SUCH_MESSAGE;
    try {
      ApplyResult answer =
          spool.get().append(entry, TIMEOUT).get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
      return switch (answer) {
        case DONE -> CommandStatus.DONE;
        case NO_SUCH_MESSAGE -> CommandStatus.NO_SUCH_MESSAGE;
        case HELD -> CommandStatus.HELD;
        case REFUSED, ACCEPTED_BEFORE, UNKNOWN -> CommandStatus.NO_QUORUM;
      };
    } catch (ExecutionException | TimeoutException e) {
      return CommandStatus.NO_QUORUM;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return CommandStatus.NO_QUORUM;
    }
  }
}
