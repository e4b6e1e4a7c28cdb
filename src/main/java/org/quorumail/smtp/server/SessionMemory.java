package org.quorumail.smtp.server;

import java.util.Optional;
import org.quorumail.smtp.Reply;
import org.quorumail.smtp.server.MemoryBudget.Use;

/**
 * The part of the {@link MemoryBudget} that one session holds, by estimates from above. Closing it
 * returns all of it, whichever way the session ends. Used by one thread at a time.
 */
final class SessionMemory implements AutoCloseable {
  /** A virtual thread with its stack, the socket, the session's objects: 8.8 KB were measured. */
  static final long CONNECTION = 10 * 1024;

  /** The engine of the JDK with its buffers, and a line of AUTH: 62 KB were measured. */
  static final long TLS = 64 * 1024;

  /** The reverse-path, the options and the objects of a transaction, without its recipients. */
  static final long TRANSACTION = 2 * 1024;

  private static final long RECIPIENT = 384; // its objects, here and in the spooled message
  private static final int RECIPIENT_COPIES = 2; // the text of RCPT: kept, and encoded

  /** The reply to a connection that the budget has no room for. */
  static final Reply REFUSAL_AT_CONNECT =
      Reply.of(421, "4.3.2", "Too busy for more connections, try again later");

  /** The reply to STARTTLS that the budget has no room for, RFC 3207 §4. */
  static final Reply REFUSAL_AT_STARTTLS =
      Reply.of(454, "4.7.0", "TLS not available at the moment, try again later");

  /** The reply to a command of a transaction that the budget has no room for. */
  static final Reply REFUSAL = Reply.of(452, "4.3.1", "Insufficient memory, try again later");

  private final MemoryBudget budget;
  private long ofConnection;
  private long ofTransaction;
  private boolean closed;

  private SessionMemory(MemoryBudget budget, long bytes) {
    this.budget = budget;
    this.ofConnection = bytes;
  }

  /** Charges a new connection with lines of this length; empty when there is no room for it. */
  static Optional<SessionMemory> open(MemoryBudget budget, int longestLine) {
    long bytes = CONNECTION + longestLine;
    return budget.tryReserve(bytes, Use.CONNECTION)
        ? Optional.of(new SessionMemory(budget, bytes))
        : Optional.empty();
  }

  /** Charges TLS on the connection. */
  boolean tryReserveTls() {
    if (closed || !budget.tryReserve(TLS, Use.CONNECTION)) return false;
    ofConnection += TLS;
    return true;
  }

  /** Charges more bytes of the connection. */
  boolean tryReserveForConnection(long bytes) {
    if (closed || !budget.tryReserve(bytes, Use.TRANSACTION)) return false;
    ofConnection += bytes;
    return true;
  }

  /** The bytes of a recipient with so many characters of address and parameters. */
  static long ofRecipient(int textLength) {
    return RECIPIENT + (long) RECIPIENT_COPIES * textLength;
  }

  /** Charges bytes of the transaction, until {@link #endTransaction}. */
  boolean tryReserve(long bytes, Use use) {
    if (closed || !budget.tryReserve(bytes, use)) return false;
    ofTransaction += bytes;
    return true;
  }

  /** Returns bytes of the transaction before its end. */
  void release(long bytes) {
    if (bytes > ofTransaction) throw new IllegalArgumentException("so much was not charged");
    ofTransaction -= bytes;
    budget.release(bytes);
  }

  void endTransaction() {
    release(ofTransaction);
  }

  @Override
  public void close() {
    closed = true;
    endTransaction();
    budget.release(ofConnection);
    ofConnection = 0;
  }
}
