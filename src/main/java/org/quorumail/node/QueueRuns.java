package org.quorumail.node;

import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.quorumail.mail.OperatorCommand;
import org.quorumail.queue.DeliveryQueue;
import org.quorumail.smtp.server.EtrnResult;
import org.quorumail.spool.SpoolCommands;
import org.quorumail.spool.SpoolQueries;
import org.quorumail.spool.Spools;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The queue runs that clients request with ETRN (RFC 1985): all mail for one domain becomes due.
 */
public final class QueueRuns {
  private static final Logger LOG = LoggerFactory.getLogger(QueueRuns.class);

  /**
   * The bound of runs at once. Each message costs one log entry, and new mail must not wait for
   * runs.
   */
  private static final int MAX_RUNNING = 2;

  private static final int PAGE = 100;

  /** The bound of messages in a run; further ones keep their schedule. */
  private static final int MAX_MESSAGES = 10_000;

  private final Spools spools;
  private final DeliveryQueue queue;
  private final Set<String> running = ConcurrentHashMap.newKeySet();

  public QueueRuns(Spools spools, DeliveryQueue queue) {
    this.spools = spools;
    this.queue = queue;
  }

  /**
   * Starts a run and does not wait for its end; a run of the same domain that is active counts as
   * it.
   */
  public EtrnResult start(String domain) {
    if (queue.isSuspended(domain)) return new EtrnResult.Unavailable();
    SpoolQueries.Page first = waiting(domain, "");
    if (first.messages().isEmpty() && first.next().isEmpty())
      return new EtrnResult.NothingWaiting();
    if (running.add(domain)) {
      if (running.size() > MAX_RUNNING) {
        running.remove(domain);
        return new EtrnResult.Unavailable();
      }
      Thread.ofVirtual().name("queue-run").start(() -> run(domain, first));
    }
    return new EtrnResult.Started(first.messages().size(), first.next().isPresent());
  }

  private void run(String domain, SpoolQueries.Page first) {
    int due = 0;
    try {
      SpoolQueries.Page page = first;
      for (int seen = 0; seen < MAX_MESSAGES; seen += PAGE) {
        for (SpoolQueries.LocatedMessage located : page.messages()) {
          var result =
              spools.commands().run(located.message().id(), new OperatorCommand.Retry(false));
          if (result == SpoolCommands.CommandStatus.NO_QUORUM) return;
          if (result == SpoolCommands.CommandStatus.DONE) due++;
        }
        Optional<String> next = page.next();
        if (next.isEmpty()) return;
        page = waiting(domain, next.get());
      }
    } finally {
      running.remove(domain);
      LOG.info("event=queue_run domain={} due={}", domain, due);
    }
  }

  private SpoolQueries.Page waiting(String domain, String cursor) {
    SpoolQueries.MessageCriteria filter =
        new SpoolQueries.MessageCriteria(
            Optional.empty(), Optional.of(domain), Optional.empty(), Optional.empty());
    return spools.queries().page(filter, cursor, PAGE);
  }
}
