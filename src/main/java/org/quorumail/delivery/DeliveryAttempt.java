package org.quorumail.delivery;

import java.io.InputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.quorumail.delivery.local.LocalMessage;
import org.quorumail.delivery.local.LocalResult;
import org.quorumail.delivery.local.LocalTarget;
import org.quorumail.delivery.local.LocalThread;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.Outcome;
import org.quorumail.mail.Recipient;
import org.quorumail.mail.RecipientOutcome;
import org.quorumail.mail.ReversePath;
import org.quorumail.smtp.client.FinalDotGuard;
import org.quorumail.smtp.client.OutgoingMessage;
import org.quorumail.smtp.client.SendResult;
import org.quorumail.smtp.client.ServerEndpoint;
import org.quorumail.smtp.client.SmtpConnection;
import org.quorumail.spool.SpooledMessage;

/**
 * One try to hand a message to one destination, transaction by transaction, host after host:
 * recipients that a host defers are tried at the next one (RFC 5321 §5.1). The caller asks for
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
  private final DialBudget.Permit permit;
  private final SpooledMessage message;
  private final Supplier<InputStream> content;
  private final FinalDotGuard dot;
  private final @Nullable LocalTarget local;
  private final long startNanos = System.nanoTime();
  private List<Integer> remaining; // indexes of the recipients to try at the current host
  private List<Integer> postponed = new ArrayList<>(); // those to try at the next host

  /** The last deferral of each recipient that a host has deferred in this attempt. */
  private final Map<Integer, Outcome.Deferred> deferrals = new HashMap<>();

  /** The hosts that have deferred a postponed recipient, with a reason. */
  private final Map<ServerEndpoint, Outcome.Deferred> deferringHosts = new LinkedHashMap<>();

  private final Map<String, String> tlsByRemote = new HashMap<>();
  private boolean delivered; // at the current host
  private @Nullable SmtpConnection connection;
  private int transactions;

  DeliveryAttempt(
      DeliveryAgent agent,
      Destination destination,
      DestinationLimiter limiter,
      DeliveryOrder order,
      DialBudget.Permit permit) {
    this.permit = permit;
    this.agent = agent;
    this.limiter = limiter;
    this.message = order.message();
    boolean requireVerifiedTls = message.options().requireTls();
    this.connector =
        new Connector(
            agent, destination, limiter, senderDomain(message), requireVerifiedTls, permit);
    this.remaining = order.recipientIndexes();
    this.content = order.content();
    this.dot = order.dot();
    this.local = destination.localTarget();
  }

  private static String senderDomain(SpooledMessage message) {
    return message.reversePath() instanceof ReversePath.Mailbox mailbox
        ? mailbox.address().domain()
        : "";
  }

  /** Returns whether every recipient has an outcome, or nothing more can be tried now. */
  public boolean isFinished() {
    return remaining.isEmpty() && postponed.isEmpty();
  }

  /**
   * Runs the attempt until there is something to record. Blocks.
   *
   * @throws IllegalStateException when the attempt is finished
   */
  public AttemptResult next() {
    if (isFinished()) throw new IllegalStateException("the attempt is finished");
    if (local != null) return deliverLocally(local);
    while (transactions < MAX_TRANSACTIONS) {
      if (remaining.isEmpty()) leaveHost();
      SmtpConnection current = usableConnection();
      if (current == null) {
        switch (connector.connect()) {
          case Connector.Connected connected -> current = connected.connection();
          case Connector.Decided decided -> {
            return decideAll(decided.outcome());
          }
          case Connector.CircuitOpen open -> {
            if (deferrals.isEmpty()) return notTried(open.reason());
            return decideAll(new Outcome.Deferred(BROKEN, open.reason(), ""));
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

  /** Delivers to one recipient: each has a mailbox of its own, or a run of the program. */
  private AttemptResult deliverLocally(LocalTarget target) {
    int recipient = remaining.getFirst();
    LocalMessage copy =
        new LocalMessage(
            message.id(),
            recipient,
            message.reversePath(),
            message.recipients().get(recipient).address(),
            content);
    return switch (LocalThread.deliver(target, copy, () -> dot.mayBeSent(1))) {
      case LocalResult.Decided decided -> {
        remaining = remaining.subList(1, remaining.size());
        if (decided.outcome() instanceof Outcome.Deferred) limiter.shrinkWindow();
        else limiter.growWindow();
        yield outcomes(List.of(recipient), decided.outcome());
      }
      case LocalResult.Denied denied -> notTried("the lease of the spool is not held");
      case LocalResult.Unreadable unreadable -> unreadable(unreadable.reason());
    };
  }

  private AttemptResult unreadable(String reason) {
    remaining = List.of();
    postponed = List.of();
    return new AttemptResult.Unreadable(reason);
  }

  /** Gives the hosts up that have deferred recipients; these are to be tried at another one. */
  private void leaveHost() {
    deferringHosts.forEach(connector::giveUp);
    deferringHosts.clear();
    remaining = postponed;
    postponed = new ArrayList<>();
    SmtpConnection current = connection;
    connection = null;
    if (current != null) {
      if (delivered) limiter.returnConnection(current, System.nanoTime());
      else current.quit(); // so that other messages do not begin there either
    }
    delivered = false;
  }

  /** Sends to as many recipients as go into one transaction; null to try again at once. */
  private @Nullable AttemptResult runTransaction(SmtpConnection current) {
    List<Integer> now = remaining.subList(0, recipientsInOneTransaction(current));
    tlsByRemote.put(current.peer().toString(), current.tls());
    return switch (current.send(outgoing(now), dot)) {
      case SendResult.Answered answered -> answered(now, answered, current.peer());
      case SendResult.Broken broken ->
          broken.staleSession() ? null : broken(now, broken, current.peer());
      case SendResult.NotSendable not ->
          decideAll(new Outcome.Failed(not.status(), not.reason(), current.peer().toString()));
      case SendResult.FinalDotDenied denied -> notTried("the lease of the spool is not held");
      case SendResult.Unreadable unreadable -> unreadable(unreadable.reason());
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
    agent.breakers().recordSuccess(peer.hostKey());
    limiter.answered(System.nanoTime());
    if (answered.sessionEnds()) limiter.shrinkWindow();
    else limiter.growWindow();
    List<RecipientOutcome> decided = decidedNow(now, answered.outcomes(), peer);
    List<Integer> rest = new ArrayList<>();
    for (int i : answered.leftOver()) rest.add(now.get(i));
    rest.addAll(remaining.subList(now.size(), remaining.size()));
    remaining = rest;
    if (answered.sessionEnds() && !postponed.isEmpty()) postponeRemaining();
    return result(decided);
  }

  /** A lost session: what is in doubt must not go to another host, where it would be doubled. */
  private @Nullable AttemptResult broken(
      List<Integer> now, SendResult.Broken broken, ServerEndpoint peer) {
    agent.breakers().recordFailure(peer.hostKey(), System.nanoTime());
    limiter.shrinkWindow();
    Outcome.Deferred lost = new Outcome.Deferred(BROKEN, broken.reason(), peer.toString());
    List<RecipientOutcome> decided = decidedNow(now, broken.outcomes(), peer);
    Set<Integer> known = new HashSet<>();
    for (RecipientOutcome o : broken.outcomes()) known.add(now.get(o.recipientIndex()));
    for (int i : broken.inDoubt()) {
      known.add(now.get(i));
      decided.add(new RecipientOutcome(now.get(i), lost));
    }
    remaining = new ArrayList<>(remaining.stream().filter(i -> !known.contains(i)).toList());
    for (int i : remaining) deferrals.put(i, lost);
    deferringHosts.put(peer, lost);
    postponeRemaining();
    return result(decided);
  }

  /** Returns the outcomes that are final for this attempt; a deferral waits for the next host. */
  private List<RecipientOutcome> decidedNow(
      List<Integer> now, List<RecipientOutcome> outcomes, ServerEndpoint peer) {
    List<RecipientOutcome> decided = new ArrayList<>(outcomes.size());
    for (RecipientOutcome o : outcomes) {
      int recipient = now.get(o.recipientIndex());
      if (o.outcome() instanceof Outcome.Deferred deferral) {
        deferrals.put(recipient, deferral);
        deferringHosts.put(peer, deferral);
        postponed.add(recipient);
      } else {
        delivered |= o.outcome() instanceof Outcome.Delivered;
        decided.add(new RecipientOutcome(recipient, o.outcome()));
      }
    }
    return decided;
  }

  private void postponeRemaining() {
    postponed.addAll(remaining);
    remaining = List.of();
  }

  /** One step of the attempt. Without another host, the deferrals belong to it. */
  private @Nullable AttemptResult result(List<RecipientOutcome> decided) {
    boolean last = remaining.isEmpty() && !postponed.isEmpty();
    if (last && !connector.hasHostBeside(deferringHosts.keySet())) {
      for (int i : postponed) decided.add(new RecipientOutcome(i, deferralOf(i)));
      postponed = List.of();
    }
    return decided.isEmpty() ? null : step(decided);
  }

  /** Falls back to the reason of the host for recipients that had no transaction there. */
  private Outcome deferralOf(int recipient) {
    Outcome own = deferrals.get(recipient);
    return own != null ? own : deferringHosts.values().iterator().next();
  }

  private AttemptResult notTried(String reason) {
    remaining = List.of();
    postponed = List.of();
    return new AttemptResult.NotTried(reason);
  }

  private AttemptResult decideAll(Outcome outcome) {
    List<Integer> all = new ArrayList<>(remaining);
    all.addAll(postponed);
    remaining = List.of();
    postponed = List.of();
    return outcomes(all, outcome);
  }

  /** The reply of a host that has deferred a recipient outweighs what this node decides. */
  private AttemptResult outcomes(List<Integer> indexes, Outcome outcome) {
    List<RecipientOutcome> outcomes = new ArrayList<>(indexes.size());
    for (int i : indexes) {
      Outcome deferral = deferrals.get(i);
      outcomes.add(new RecipientOutcome(i, deferral != null ? deferral : outcome));
    }
    return step(outcomes);
  }

  /** Adds the TLS of the session with the host that each outcome names. */
  private AttemptResult.Outcomes step(List<RecipientOutcome> outcomes) {
    return new AttemptResult.Outcomes(
        outcomes.stream()
            .map(o -> o.withTls(tlsByRemote.getOrDefault(o.outcome().remote(), "")))
            .toList());
  }

  /** The connection of the transaction before, if it takes another one. */
  private @Nullable SmtpConnection usableConnection() {
    SmtpConnection current = connection;
    if (current == null || current.isUsable()) return current;
    connection = null;
    current.quit(); // broken, or at the server's limit
    return null;
  }

  /** Returns the connection for other messages, and the room at the destination. */
  @Override
  public void close() {
    try {
      if (connection != null) limiter.returnConnection(connection, System.nanoTime());
    } finally {
      permit.close();
      agent.attemptEnded(limiter, startNanos);
    }
  }
}
