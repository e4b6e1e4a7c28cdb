package org.quorumail.delivery;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.quorumail.delivery.Disposition.Responsibility;
import org.quorumail.delivery.Hosts.Host;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.Recipient;
import org.quorumail.smtp.Escape;
import org.quorumail.smtp.Reply;
import org.quorumail.smtp.client.Opening;
import org.quorumail.smtp.client.Peer;
import org.quorumail.smtp.client.SendResult;
import org.quorumail.smtp.client.SendResult.RecipientResult;
import org.quorumail.smtp.client.SmtpConnection;
import org.quorumail.smtp.client.TlsRule;
import org.quorumail.smtp.client.Transaction;
import org.quorumail.spool.SpooledMessage;

/** One try to hand a message to one destination. Used once, by one thread. */
final class Attempt {
  /** RFC 5321 §4.5.3.1.8 lets a server refuse more than 100; 1,000 is what is common. */
  private static final int MAX_RECIPIENTS = 1000;

  /** A server that takes 10 recipients at a time gets this many of a message per attempt. */
  private static final int MAX_TRANSACTIONS = 100;

  /** Addresses dialled in one attempt, so that a dead domain holds a place no longer than that. */
  private static final int MAX_DIALS = 5;

  private static final EnhancedStatus BROKEN = new EnhancedStatus(4, 4, 2);
  private static final EnhancedStatus TOO_MANY = new EnhancedStatus(4, 5, 3);
  private static final EnhancedStatus LOOP = new EnhancedStatus(5, 4, 6);
  private static final EnhancedStatus NEEDS_UTF8 = new EnhancedStatus(5, 6, 7);

  private static final EnhancedStatus NO_TLS = new EnhancedStatus(4, 7, 4);

  /**
   * RFC 8689 §4.2.1: a host without TLS is not enough, nor is an MX record that neither DNSSEC nor
   * MTA-STS vouches for.
   */
  private static final EnhancedStatus NO_SECURE_ROUTE = new EnhancedStatus(5, 7, 30);

  private static final EnhancedStatus DISCARDED = new EnhancedStatus(2, 0, 0);

  private final Deliveries shared;
  private final Destination destination;
  private final Flow flow;
  private final Job job;
  private final SpooledMessage message;
  private @Nullable SmtpConnection connection;

  Attempt(Deliveries shared, Destination destination, Flow flow, Job job) {
    this.shared = shared;
    this.destination = destination;
    this.flow = flow;
    this.job = job;
    this.message = job.message();
  }

  void run() {
    try {
      deliver(job.recipients());
    } finally {
      if (connection != null) flow.giveBack(connection, System.nanoTime());
    }
  }

  private void deliver(List<Integer> places) {
    List<Integer> rest = places;
    for (int i = 0; i < MAX_TRANSACTIONS && !rest.isEmpty(); i++) {
      SmtpConnection current = connected(rest);
      if (current == null) return;
      rest = passable(rest, current);
      if (rest.isEmpty()) return;
      List<Integer> now = rest.subList(0, together(rest, current));
      List<Integer> later = rest.subList(now.size(), rest.size());
      SendResult result = current.send(transaction(now), job::content, job::dotAllowed);
      switch (result) {
        case SendResult.Answered answered -> {
          List<Integer> left = answered(now, answered, current);
          left.addAll(later);
          rest = left;
        }
        case SendResult.Broken broken -> {
          boolean closedWhileIdle = broken.unanswered() && current.transactions() > 1;
          if (!closedWhileIdle) {
            broken(rest, broken, current.peer());
            return;
          }
        }
        case SendResult.Unsuitable unsuitable -> {
          refuse(rest, unsuitable.status(), unsuitable.reason(), current.peer().toString());
          return;
        }
        case SendResult.Abandoned abandoned -> {
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
  private List<Integer> passable(List<Integer> places, SmtpConnection current) {
    boolean allAlike = message.options().utf8Header() || !message.reversePath().ascii();
    if (allAlike || current.offers("SMTPUTF8")) return places;
    List<Integer> international =
        places.stream().filter(p -> !message.recipients().get(p).address().ascii()).toList();
    if (international.isEmpty()) return places;
    String reason = current.peer() + " does not take this address (no SMTPUTF8)";
    refuse(international, NEEDS_UTF8, reason, current.peer().toString());
    return places.stream().filter(p -> !international.contains(p)).toList();
  }

  /** How many of the places, from the first on, go into one transaction (RFC 9422). */
  private int together(List<Integer> places, SmtpConnection current) {
    int most = Math.min(MAX_RECIPIENTS, current.maxRecipients());
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
    Peer peer = current.peer();
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
    shared.breakers().succeeded(hostKey(peer));
    if (closing) flow.troubled();
    else flow.succeeded();
    job.answered(results);
    return left;
  }

  private void broken(List<Integer> places, SendResult.Broken broken, Peer peer) {
    shared.breakers().failed(hostKey(peer), System.nanoTime());
    flow.troubled();
    tryLater(places, BROKEN, broken.reason(), peer.toString());
  }

  /** The connection at hand, an idle one, or a new one; null after the job was told why none. */
  private @Nullable SmtpConnection connected(List<Integer> places) {
    if (connection != null && !connection.usable()) { // broken, or at the server's limit
      connection.quit();
      connection = null;
    }
    if (connection == null) connection = flow.takeIdle(System.nanoTime()).orElse(null);
    if (connection != null && strict() && connection.peer().tls() != TlsRule.VERIFIED) {
      flow.giveBack(connection, System.nanoTime());
      connection = null;
    }
    if (connection == null) connection = dialled(places);
    return connection;
  }

  private @Nullable SmtpConnection dialled(List<Integer> places) {
    switch (shared.hosts().hosts(destination)) {
      case Hosts.Found found -> {
        return firstThatOpens(found.hosts(), places).orElse(null);
      }
      case Hosts.None none -> refuse(places, none.status(), none.reason(), "");
      case Hosts.Unknown unknown -> {
        flow.troubled();
        tryLater(places, unknown.status(), unknown.reason(), "");
      }
      case Hosts.Discard discard -> {
        Disposition done =
            new Disposition.Delivered(
                DISCARDED, "discarded by a route", "discard", Responsibility.DELIVERED);
        job.answered(places.stream().map(p -> new Job.Result(p, done)).toList());
      }
    }
    return null;
  }

  /** Tries host after host, RFC 5321 §5.1; what the last one said goes into the outcome. */
  private Optional<SmtpConnection> firstThatOpens(List<Host> hosts, List<Integer> places) {
    int dials = 0;
    String remote = "";
    Opening.Unusable problem = null;
    boolean hopeless = strict(); // until there is a host that may have TLS another time
    for (Host host : hosts) {
      // in this order: who asks an open circuit and hears yes has to try it
      if (dials >= MAX_DIALS || !shared.breakers().allows(host.key(), System.nanoTime())) {
        hopeless = false;
        continue;
      }
      if (strict() && !host.explicit()) {
        refuse(places, NO_SECURE_ROUTE, "the name " + host.name() + " is not authenticated", "");
        return Optional.empty();
      }
      for (InetAddress address : host.addresses()) {
        if (dials++ == MAX_DIALS) break;
        Peer peer = peer(host, address);
        remote = peer.toString();
        switch (shared.client().open(peer)) {
          case Opening.Ready ready -> {
            shared.connectionOpened();
            return Optional.of(ready.connection());
          }
          case Opening.Ourselves ourselves -> {
            refuse(places, LOOP, ourselves.reason(), remote);
            return Optional.empty();
          }
          case Opening.Unusable unusable -> {
            hopeless = false;
            problem = unusable;
          }
          case Opening.WithoutTls without ->
              problem = new Opening.Unusable(NO_TLS, without.reason());
        }
      }
      // what this message alone demands says nothing about the host
      if (!strict()) shared.breakers().failed(host.key(), System.nanoTime());
    }
    if (problem == null) {
      leaveAlone(hosts);
    } else if (hopeless) {
      refuse(places, NO_SECURE_ROUTE, problem.reason(), remote);
    } else {
      flow.troubled();
      closeIfAllAreOpen(hosts);
      tryLater(places, problem.status(), problem.reason(), remote);
    }
    return Optional.empty();
  }

  /** RFC 8689: only by TLS, and only to who proves its name. */
  private boolean strict() {
    return message.options().requireTls();
  }

  /** Every host has failed too often lately. */
  private void leaveAlone(List<Host> hosts) {
    flow.closeUntil(earliestTrial(hosts));
    job.notTried("the circuit of every host is open");
  }

  private void closeIfAllAreOpen(List<Host> hosts) {
    long trial = earliestTrial(hosts);
    if (trial - System.nanoTime() > 0) flow.closeUntil(trial);
  }

  private long earliestTrial(List<Host> hosts) {
    long now = System.nanoTime();
    long earliest = Long.MAX_VALUE; // as a distance from now, since nanoTime may be negative
    for (Host host : hosts) {
      earliest = Math.min(earliest, shared.breakers().openUntil(host.key(), now) - now);
    }
    return now + earliest;
  }

  private Peer peer(Host host, InetAddress address) {
    return new Peer(
        host.name(),
        new InetSocketAddress(address, host.port()),
        host.lmtp(),
        strict() ? TlsRule.VERIFIED : destination.tls(),
        host.explicit());
  }

  private static String hostKey(Peer peer) {
    return peer.name() + ":" + peer.address().getPort();
  }

  private Disposition accepted(Reply reply, SmtpConnection current) {
    EnhancedStatus status = reply.status().orElse(new EnhancedStatus(2, 0, 0));
    return new Disposition.Delivered(
        status, words(reply), current.peer().toString(), responsibility(current));
  }

  private Responsibility responsibility(SmtpConnection current) {
    boolean timed = message.options().deliverBy().isPresent();
    boolean told = current.offers("DSN") && (!timed || current.offers("DELIVERBY"));
    if (told) return Responsibility.NEXT_HOP;
    return current.peer().lmtp() ? Responsibility.DELIVERED : Responsibility.RELAYED;
  }

  private static Disposition refused(RecipientResult.Refused refused, Peer peer) {
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
    Disposition later = new Disposition.TryLater(status, reason, remote);
    job.answered(places.stream().map(p -> new Job.Result(p, later)).toList());
  }

  private void refuse(List<Integer> places, EnhancedStatus status, String reason, String remote) {
    Disposition refused = new Disposition.Refused(status, reason, remote);
    job.answered(places.stream().map(p -> new Job.Result(p, refused)).toList());
  }
}
