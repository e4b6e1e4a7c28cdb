package org.quorumail.smtp.server;

import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.quorumail.auth.User;
import org.quorumail.smtp.Reply;
import org.quorumail.spool.Intake.Readiness;
import org.quorumail.spool.Intake.RequestLookup;

/**
 * The entrance for messages that come by another protocol than SMTP. They pass the filters, the
 * relay rule and the spool as submitted mail does (RFC 6409), and are charged to the same memory.
 * Thread-safe; each {@link InjectionSession} belongs to one thread.
 */
public final class InjectionEndpoint {
  private final ServerContext server;
  private final Availability availability;
  private final SmtpMetrics metrics;
  private final long maxMessageSize;
  private final int maxRecipients;
  private final AtomicInteger open = new AtomicInteger();

  /**
   * @param maxMessageSize octets of the largest message
   * @param maxRecipients of one message
   */
  public InjectionEndpoint(ServerContext server, long maxMessageSize, int maxRecipients) {
    this.server = server;
    this.availability = new Availability(server.intake());
    this.metrics = new SmtpMetrics(server.meters(), "http", open::get);
    this.maxMessageSize = maxMessageSize;
    this.maxRecipients = maxRecipients;
  }

  /**
   * A client, as the other protocol knows it.
   *
   * @param local the address to which it connected
   * @param protocol as the Received field names it
   * @param tls protocol and cipher suite; empty without TLS
   * @param user with the addresses that it may send as
   */
  public record InjectionClient(
      InetSocketAddress remote,
      InetSocketAddress local,
      String protocol,
      Optional<String> tls,
      User user) {}

  /** Starts a session; empty when the memory of the node has no room for it. */
  public Optional<InjectionSession> open(InjectionClient client) {
    return SessionMemory.open(server.memory(), 0)
        .map(memory -> new InjectionSession(this, client, memory));
  }

  /** The refusal of new messages at the moment. */
  public Optional<InjectionResult.Refused> refusal() {
    return availability
        .refusalAtMail()
        .map(
            reply -> {
              boolean full = reply.equals(Availability.refusal(Readiness.DISK_FULL));
              InjectionResult.Cause cause =
                  full ? InjectionResult.Cause.DISK_FULL : InjectionResult.Cause.UNAVAILABLE;
              return new InjectionResult.Refused(cause, reply, InjectionResult.NO_RECIPIENT);
            });
  }

  /** Returns the knowledge of this node about a request that may come again. */
  public RequestLookup requests(String request) {
    return server.intake().requests(request);
  }

  public long maxMessageSize() {
    return maxMessageSize;
  }

  public int maxRecipients() {
    return maxRecipients;
  }

  /** The sessions that are open. */
  public int sessions() {
    return open.get();
  }

  /** This host's name. */
  public String hostname() {
    return server.hostname();
  }

  ServerContext server() {
    return server;
  }

  SmtpMetrics metrics() {
    return metrics;
  }

  void opened() {
    open.incrementAndGet();
  }

  void closed() {
    open.decrementAndGet();
  }

  /** The cause of a refusal that the commit of a message gave. */
  static InjectionResult.Cause causeOf(Reply reply) {
    if (reply.equals(IncomingMessage.ACCEPTED_BEFORE)) {
      return InjectionResult.Cause.ACCEPTED_BEFORE;
    }
    if (reply.equals(SessionMemory.REFUSAL)) return InjectionResult.Cause.BUSY;
    if (reply.equals(Availability.refusal(Readiness.DISK_FULL))) {
      return InjectionResult.Cause.DISK_FULL;
    }
    boolean unavailable =
        reply.equals(Availability.refusal(Readiness.NO_QUORUM))
            || reply.equals(Availability.refusal(Readiness.DRAINING));
    return unavailable ? InjectionResult.Cause.UNAVAILABLE : InjectionResult.Cause.CONTENT;
  }
}
