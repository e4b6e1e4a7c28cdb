package org.quorumail.delivery;

import java.io.InputStream;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.Outcome;
import org.quorumail.mail.Recipient;
import org.quorumail.mail.RecipientOutcome;
import org.quorumail.smtp.client.FinalDotGuard;
import org.quorumail.smtp.client.OutgoingMessage;
import org.quorumail.smtp.client.SendResult;
import org.quorumail.smtp.client.ServerEndpoint;
import org.quorumail.smtp.client.SmtpConnection;
import org.quorumail.spool.SpooledMessage;

/**
 * One try to hand a message to one destination, transaction by transaction. The caller asks for
 * {@link #next} until the attempt {@linkplain #isFinished is finished}. It commits the outcomes of
 * each step before the next one, so a crash can repeat no more than one transaction. The connection
 * serves other messages only after {@link #close}. Used once, by one thread.
 */
public final class DeliveryAttempt implements AutoCloseable {
  /** RFC 5321 §4.5.3.1.8 lets a server refuse more than 100; 1,000 is what is common. */
  private static final int MAX_RECIPIENTS_PER_TRANSACTION = 1000;

  /** A server that takes 10 recipients at a time gets this many of a message per attempt. */
  private static final int MAX_TRANSACTIONS = 100;

  private static final EnhancedStatus BROKEN = new EnhancedStatus(4, 4, 2);
  private static final EnhancedStatus TOO_MANY = new EnhancedStatus(4, 5, 3);
  private static final EnhancedStatus NEEDS_UTF8 = new EnhancedStatus(5, 6, 7);

  private final DeliveryAgent agent;
  private final DestinationLimiter limiter;
  private final Connector connector;
  private final SpooledMessage message;
  private final Supplier<InputStream> content;
  private final FinalDotGuard dot;
  private final long startNanos = System.nanoTime();
  private List<Integer> remaining; // indexes of the recipients without an outcome
  private @Nullable SmtpConnection connection;
  private int transactions;

  DeliveryAttempt(
      DeliveryAgent agent,
      Destination destination,
      DestinationLimiter limiter,
      DeliveryOrder order) {
    this.agent = agent;
    this.limiter = limiter;
    this.message = order.message();
    boolean requireVerifiedTls = message.options().requireTls();
    this.connector = new Connector(agent, destination, limiter, requireVerifiedTls);
    this.remaining = order.recipientIndexes();
    this.content = order.content();
    this.dot = order.dot();
  }

  /** Returns whether every recipient has an outcome, or nothing more can be tried now. */
  public boolean isFinished() {
    return remaining.isEmpty();
  }

  /**
   * Runs the attempt until there is something to record. Blocks.
   *
   * @throws IllegalStateException when the attempt is finished
   */
  public AttemptResult next() {
    if (isFinished()) throw new IllegalStateException("the attempt is finished");
    while (transactions < MAX_TRANSACTIONS) {
      SmtpConnection current = usableConnection();
      if (current == null) {
        switch (connector.connect()) {
          case Connector.Connected connected -> current = connected.connection();
          case Connector.Decided decided -> {
            return decideAll(decided.outcome());
          }
          case Connector.CircuitOpen open -> {
            return notTried(open.reason());
          }
        }
        connection = current;
      }
      List<Integer> unsupported = unsupportedAddresses(current);
      if (!unsupported.isEmpty()) return rejectUnsupported(unsupported, current.peer());
      transactions++;
      AttemptResult result = runTransaction(current);
      if (result != null) return result;
    }
    return decideAll(new Outcome.Deferred(TOO_MANY, "too many recipients for one attempt", ""));
  }

  /** Sends to as many recipients as go into one transaction; null to try again at once. */
  private @Nullable AttemptResult runTransaction(SmtpConnection current) {
    List<Integer> now = remaining.subList(0, recipientsInOneTransaction(current));
    return switch (current.send(outgoing(now), dot)) {
      case SendResult.Answered answered -> answered(now, answered, current.peer());
      case SendResult.Broken broken -> {
        boolean closedWhileIdle = broken.noReplyRead() && current.transactions() > 1;
        yield closedWhileIdle ? null : broken(broken, current.peer());
      }
      case SendResult.NotSendable not ->
          decideAll(new Outcome.Failed(not.status(), not.reason(), current.peer().toString()));
      case SendResult.FinalDotDenied denied -> notTried("the lease of the spool is not held");
      case SendResult.Unreadable unreadable -> {
        remaining = List.of();
        yield new AttemptResult.Unreadable(unreadable.reason());
      }
    };
  }

  private OutgoingMessage outgoing(List<Integer> indexes) {
    List<Recipient> recipients =
        indexes.stream().map(i -> message.recipients().get(i).recipient()).toList();
    Envelope envelope = new Envelope(message.reversePath(), recipients, message.options());
    return new OutgoingMessage(envelope, message.size(), content);
  }

  /**
   * The recipients whose addresses need SMTPUTF8 where it is not offered, if the rest of the
   * message does not need it (RFC 6531 §3.5).
   */
  private List<Integer> unsupportedAddresses(SmtpConnection current) {
    boolean allAlike = message.options().utf8Header() || !message.reversePath().ascii();
    if (allAlike || current.supports("SMTPUTF8")) return List.of();
    return remaining.stream().filter(i -> !message.recipients().get(i).address().ascii()).toList();
  }

  private AttemptResult rejectUnsupported(List<Integer> unsupported, ServerEndpoint peer) {
    String reason = peer + " does not take this address (no SMTPUTF8)";
    remaining = remaining.stream().filter(i -> !unsupported.contains(i)).toList();
    return outcomes(unsupported, new Outcome.Failed(NEEDS_UTF8, reason, peer.toString()));
  }

  /** The number of recipients, from the first on, that go into one transaction (RFC 9422). */
  private int recipientsInOneTransaction(SmtpConnection current) {
    int most = Math.min(MAX_RECIPIENTS_PER_TRANSACTION, current.maxRecipients());
    int count = Math.min(most, remaining.size());
    int maxDomains = current.maxRecipientDomains();
    if (maxDomains == Integer.MAX_VALUE) return count;
    Set<String> domains = new HashSet<>();
    for (int i = 0; i < count; i++) {
      domains.add(message.recipients().get(remaining.get(i)).address().domain());
      if (domains.size() > maxDomains) return i;
    }
    return count;
  }

  private @Nullable AttemptResult answered(
      List<Integer> now, SendResult.Answered answered, ServerEndpoint peer) {
    agent.breakers().recordSuccess(hostKey(peer));
    if (answered.sessionEnds()) limiter.shrinkWindow();
    else limiter.growWindow();
    List<RecipientOutcome> outcomes = new ArrayList<>(now.size());
    for (RecipientOutcome o : answered.outcomes()) {
      outcomes.add(new RecipientOutcome(now.get(o.recipientIndex()), o.outcome()));
    }
    List<Integer> rest = new ArrayList<>();
    for (int i : answered.leftOver()) rest.add(now.get(i));
    rest.addAll(remaining.subList(now.size(), remaining.size()));
    remaining = rest;
    return outcomes.isEmpty() ? null : new AttemptResult.Outcomes(outcomes);
  }

  private AttemptResult broken(SendResult.Broken broken, ServerEndpoint peer) {
    agent.breakers().recordFailure(hostKey(peer), System.nanoTime());
    limiter.shrinkWindow();
    return decideAll(new Outcome.Deferred(BROKEN, broken.reason(), peer.toString()));
  }

  private AttemptResult notTried(String reason) {
    remaining = List.of();
    return new AttemptResult.NotTried(reason);
  }

  private AttemptResult decideAll(Outcome outcome) {
    List<Integer> all = remaining;
    remaining = List.of();
    return outcomes(all, outcome);
  }

  private static AttemptResult outcomes(List<Integer> indexes, Outcome outcome) {
    return new AttemptResult.Outcomes(
        indexes.stream().map(i -> new RecipientOutcome(i, outcome)).toList());
  }

  /** The connection of the transaction before, if it takes another one. */
  private @Nullable SmtpConnection usableConnection() {
    SmtpConnection current = connection;
    if (current == null || current.isUsable()) return current;
    connection = null;
    current.quit(); // broken, or at the server's limit
    return null;
  }

  private static String hostKey(ServerEndpoint peer) {
    return peer.name() + ":" + peer.address().getPort();
  }

  /** Returns the connection for other messages, and the room at the destination. */
  @Override
  public void close() {
    try {
      if (connection != null) limiter.returnConnection(connection, System.nanoTime());
    } finally {
      agent.attemptEnded(limiter, startNanos);
    }
  }
}
