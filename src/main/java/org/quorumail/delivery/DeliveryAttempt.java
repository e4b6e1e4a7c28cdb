package org.quorumail.delivery;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.quorumail.delivery.Disposition.Responsibility;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.Recipient;
import org.quorumail.smtp.Escape;
import org.quorumail.smtp.Reply;
import org.quorumail.smtp.client.SendResult;
import org.quorumail.smtp.client.SendResult.RecipientResult;
import org.quorumail.smtp.client.ServerEndpoint;
import org.quorumail.smtp.client.SmtpConnection;
import org.quorumail.smtp.client.Transaction;
import org.quorumail.spool.SpooledMessage;

/** One try to hand a message to one destination. Used once, by one thread. */
final class DeliveryAttempt {
  /** RFC 5321 §4.5.3.1.8 lets a server refuse more than 100; 1,000 is what is common. */
  private static final int MAX_RECIPIENTS_PER_TRANSACTION = 1000;

  /** A server that takes 10 recipients at a time gets this many of a message per attempt. */
  private static final int MAX_TRANSACTIONS = 100;

  private static final EnhancedStatus BROKEN = new EnhancedStatus(4, 4, 2);
  private static final EnhancedStatus TOO_MANY = new EnhancedStatus(4, 5, 3);
  private static final EnhancedStatus NEEDS_UTF8 = new EnhancedStatus(5, 6, 7);

  private final DeliveryAgent shared;
  private final DestinationLimiter flow;
  private final Connector dialling;
  private final Job job;
  private final SpooledMessage message;
  private @Nullable SmtpConnection connection;

  DeliveryAttempt(DeliveryAgent shared, Destination destination, DestinationLimiter flow, Job job) {
    this.shared = shared;
    this.flow = flow;
    this.job = job;
    this.message = job.message();
    boolean strict = message.options().requireTls();
    this.dialling = new Connector(shared, destination, flow, strict);
  }

  void run() {
    try {
      deliver(job.recipients());
    } finally {
      if (connection != null) flow.returnConnection(connection, System.nanoTime());
    }
  }

  private void deliver(List<Integer> places) {
    List<Integer> rest = places;
    for (int i = 0; i < MAX_TRANSACTIONS && !rest.isEmpty(); i++) {
      SmtpConnection current = connected(rest);
      if (current == null) return;
      rest = rejectUnsupportedAddresses(rest, current);
      if (rest.isEmpty()) return;
      List<Integer> now = rest.subList(0, recipientsInOneTransaction(rest, current));
      List<Integer> later = rest.subList(now.size(), rest.size());
      SendResult result = current.send(transaction(now), job::content, job::dotAllowed);
      switch (result) {
        case SendResult.Answered answered -> {
          List<Integer> left = answered(now, answered, current);
          left.addAll(later);
          rest = left;
        }
        case SendResult.Broken broken -> {
          boolean closedWhileIdle = broken.noReplyRead() && current.transactions() > 1;
          if (!closedWhileIdle) {
            broken(rest, broken, current.peer());
            return;
          }
        }
        case SendResult.NotSendable unsuitable -> {
          refuse(rest, unsuitable.status(), unsuitable.reason(), current.peer().toString());
          return;
        }
        case SendResult.FinalDotDenied abandoned -> {
          job.notTried("the lease of the spool is not held");
          return;
        }
        case SendResult.Unreadable unreadable -> {
          job.unreadable(unreadable.reason());
          return;
        }
      }
    }
    if (!rest.isEmpty()) tryLater(rest, TOO_MANY, "too many recipients for one attempt", "");
  }

  private Transaction transaction(List<Integer> places) {
    List<Recipient> recipients =
        places.stream().map(p -> message.recipients().get(p).recipient()).toList();
    return new Transaction(message.reversePath(), recipients, message.options(), message.size());
  }

  /**
   * Refuses the recipients whose names need SMTPUTF8 where it is not offered, if the rest of the
   * message does not need it (RFC 6531 §3.5); returns the others.
   */
  private List<Integer> rejectUnsupportedAddresses(List<Integer> places, SmtpConnection current) {
    boolean allAlike = message.options().utf8Header() || !message.reversePath().ascii();
    if (allAlike || current.supports("SMTPUTF8")) return places;
    List<Integer> international =
        places.stream().filter(p -> !message.recipients().get(p).address().ascii()).toList();
    if (international.isEmpty()) return places;
    String reason = current.peer() + " does not take this address (no SMTPUTF8)";
    refuse(international, NEEDS_UTF8, reason, current.peer().toString());
    return places.stream().filter(p -> !international.contains(p)).toList();
  }

  /** How many of the places, from the first on, go into one transaction (RFC 9422). */
  private int recipientsInOneTransaction(List<Integer> places, SmtpConnection current) {
    int most = Math.min(MAX_RECIPIENTS_PER_TRANSACTION, current.maxRecipients());
    int maxDomains = current.maxRecipientDomains();
    if (maxDomains == Integer.MAX_VALUE) return Math.min(most, places.size());
    Set<String> domains = new HashSet<>();
    for (int i = 0; i < Math.min(most, places.size()); i++) {
      domains.add(message.recipients().get(places.get(i)).address().domain());
      if (domains.size() > maxDomains) return i;
    }
    return Math.min(most, places.size());
  }

  /** Passes the answers on; returns the places that want another transaction. */
  private List<Integer> answered(
      List<Integer> places, SendResult.Answered answered, SmtpConnection current) {
    ServerEndpoint peer = current.peer();
    List<Integer> left = new ArrayList<>();
    List<Job.Result> results = new ArrayList<>(places.size());
    boolean closing = false;
    for (int i = 0; i < places.size(); i++) {
      switch (answered.recipients().get(i)) {
        case RecipientResult.Accepted a ->
            results.add(new Job.Result(places.get(i), accepted(a.reply(), current)));
        case RecipientResult.Refused r -> {
          closing |= r.reply().code() == 421;
          results.add(new Job.Result(places.get(i), refused(r, peer)));
        }
        case RecipientResult.Lost lost -> {
          closing = true;
          results.add(
              new Job.Result(
                  places.get(i), new Disposition.TryLater(BROKEN, lost.reason(), peer.toString())));
        }
        case RecipientResult.LeftOver l -> left.add(places.get(i));
      }
    }
    shared.breakers().recordSuccess(hostKey(peer));
    if (closing) flow.shrinkWindow();
    else flow.growWindow();
    job.answered(results);
    return left;
  }

  private void broken(List<Integer> places, SendResult.Broken broken, ServerEndpoint peer) {
    shared.breakers().recordFailure(hostKey(peer), System.nanoTime());
    flow.shrinkWindow();
    tryLater(places, BROKEN, broken.reason(), peer.toString());
  }

  /** A connection; null after the job was told why there is none. */
  private @Nullable SmtpConnection connected(List<Integer> places) {
    SmtpConnection known = connection;
    if (known != null && known.isUsable()) return known;
    connection = null;
    if (known != null) known.quit(); // broken, or at the server's limit
    switch (dialling.connect()) {
      case Connector.Connected connected -> connection = connected.connection();
      case Connector.Decided decided -> answer(places, decided.disposition());
      case Connector.CircuitOpen left -> job.notTried(left.reason());
    }
    return connection;
  }

  private static String hostKey(ServerEndpoint peer) {
    return peer.name() + ":" + peer.address().getPort();
  }

  private Disposition accepted(Reply reply, SmtpConnection current) {
    EnhancedStatus status = reply.status().orElse(new EnhancedStatus(2, 0, 0));
    return new Disposition.Delivered(
        status, words(reply), current.peer().toString(), responsibility(current));
  }

  private Responsibility responsibility(SmtpConnection current) {
    boolean timed = message.options().deliverBy().isPresent();
    boolean told = current.supports("DSN") && (!timed || current.supports("DELIVERBY"));
    if (told) return Responsibility.NEXT_HOP;
    return current.peer().lmtp() ? Responsibility.DELIVERED : Responsibility.RELAYED;
  }

  private static Disposition refused(RecipientResult.Refused refused, ServerEndpoint peer) {
    Reply reply = refused.reply();
    String diagnostic = words(reply) + " (in reply to " + refused.command() + ")";
    int statusClass = reply.permanentFailure() ? 5 : 4;
    EnhancedStatus status = reply.status().orElse(new EnhancedStatus(statusClass, 0, 0));
    return reply.permanentFailure()
        ? new Disposition.Refused(status, diagnostic, peer.toString())
        : new Disposition.TryLater(status, diagnostic, peer.toString());
  }

  /** The reply as it was said, made harmless, without the quotes. */
  private static String words(Reply reply) {
    String quoted = Escape.quoted(reply.toString(), 512); // the longest line by §4.5.3.1.5
    return quoted.substring(1, quoted.lastIndexOf('"'));
  }

  private void tryLater(List<Integer> places, EnhancedStatus status, String reason, String remote) {
    answer(places, new Disposition.TryLater(status, reason, remote));
  }

  private void refuse(List<Integer> places, EnhancedStatus status, String reason, String remote) {
    answer(places, new Disposition.Refused(status, reason, remote));
  }

  private void answer(List<Integer> places, Disposition disposition) {
    job.answered(places.stream().map(p -> new Job.Result(p, disposition)).toList());
  }
}
