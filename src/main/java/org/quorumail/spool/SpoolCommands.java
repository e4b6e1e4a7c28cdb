package org.quorumail.spool;

import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.quorumail.mail.OperatorCommand;
import org.quorumail.mail.QueueId;

/**
 * The commands of an operator about messages. They go through the log of their spool, so any node
 * with a replica can run them. Each blocks until a quorum has it.
 */
public final class SpoolCommands {
  /** A person waits: longer than an election, but not for long. */
  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  /** Messages of one entry, which the applying thread changes in some milliseconds. */
  private static final int BATCH = 250;

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

  public CommandStatus run(QueueId id, OperatorCommand command) {
    return spools.stream()
        .filter(s -> s.store().message(id).isPresent())
        .findFirst()
        .map(spool -> append(spool, List.of(id), command).getFirst())
        .orElse(CommandStatus.NO_SUCH_MESSAGE);
  }

  /**
   * Runs a command for messages of one spool, some hundred in each entry. After an entry that no
   * quorum has confirmed no other one is sent.
   *
   * @return the status of each, in the order of the ids
   */
  public List<CommandStatus> run(String spool, List<QueueId> ids, OperatorCommand command) {
    Optional<Spool> holder = spools.stream().filter(s -> s.name().equals(spool)).findFirst();
    if (holder.isEmpty()) return Collections.nCopies(ids.size(), CommandStatus.NO_SUCH_MESSAGE);
    List<CommandStatus> all = new ArrayList<>(ids.size());
    while (all.size() < ids.size()) {
      int end = Math.min(ids.size(), all.size() + BATCH);
      List<CommandStatus> some = append(holder.get(), ids.subList(all.size(), end), command);
      all.addAll(some);
      if (some.contains(CommandStatus.NO_QUORUM)) break;
    }
    all.addAll(Collections.nCopies(ids.size() - all.size(), CommandStatus.NO_QUORUM));
    return all;
  }

  private List<CommandStatus> append(Spool spool, List<QueueId> ids, OperatorCommand command) {
    List<SpoolEntry> entries = new ArrayList<>();
    long at = spool.eventMillis();
    for (QueueId id : ids) entries.addAll(entries(id, at, command));
    int entriesOfEach = entries.size() / ids.size();
    try {
      List<ApplyResult> results =
          spool.appendAll(entries, TIMEOUT).get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
      List<CommandStatus> statuses = new ArrayList<>(ids.size());
      for (int i = 1; i <= ids.size(); i++)
        statuses.add(status(results.get(i * entriesOfEach - 1)));
      return statuses;
    } catch (ExecutionException | TimeoutException e) {
      return Collections.nCopies(ids.size(), CommandStatus.NO_QUORUM);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Collections.nCopies(ids.size(), CommandStatus.NO_QUORUM);
    }
  }

  /**
   * The entries of a command, the last of which has its result.
   *
   * @param eventMillis for the event of it; 0 for none
   */
  private List<SpoolEntry> entries(QueueId id, long eventMillis, OperatorCommand command) {
    long now = clock.millis();
    return switch (command) {
      case OperatorCommand.Retry retry ->
          retry.releases() // a release has no effect on a message that is not held
              ? List.of(new SpoolEntry.Release(id, now), new SpoolEntry.Retry(id, now))
              : List.of(new SpoolEntry.Retry(id, now));
      case OperatorCommand.Hold hold -> List.of(new SpoolEntry.Hold(id, eventMillis));
      case OperatorCommand.Release release -> List.of(new SpoolEntry.Release(id, now));
      case OperatorCommand.Delete delete -> List.of(new SpoolEntry.Remove(id, eventMillis));
      case OperatorCommand.Bounce bounce ->
          throw new IllegalArgumentException("the queue of the owner bounces messages");
    };
  }

  private static CommandStatus status(ApplyResult result) {
    return switch (result) {
      case DONE -> CommandStatus.DONE;
      case NO_SUCH_MESSAGE -> CommandStatus.NO_SUCH_MESSAGE;
      case HELD -> CommandStatus.HELD;
      case REFUSED, ACCEPTED_BEFORE, UNKNOWN -> CommandStatus.NO_QUORUM;
    };
  }
}
