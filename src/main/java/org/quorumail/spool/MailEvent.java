package org.quorumail.spool;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.QueueId;

/**
 * An event of a message. It is derived from the log entry that changes the message and is written
 * with that change, so it is on a quorum of disks when the change is.
 *
 * @param position in the spool; later events have greater ones
 * @param atMillis the clock of the node that has proposed the entry
 */
public record MailEvent(Position position, QueueId id, long atMillis, Detail detail) {

  /**
   * The position of an event in its spool.
   *
   * @param entry the index of the log entry
   * @param number among the events of that entry, from 0 on
   */
  public record Position(long entry, int number) implements Comparable<Position> {
    /** Before all events. */
    public static final Position START = new Position(0, 0);

    @Override
    public String toString() {
      return entry + "." + number;
    }

    @Override
    public int compareTo(Position other) {
      int byEntry = Long.compare(entry, other.entry);
      return byEntry != 0 ? byEntry : Integer.compare(number, other.number);
    }
  }

  /** The kind of an event, and what is kept of it. */
  public sealed interface Detail {
    /** The name of the kind in every output. */
    String type();
  }

  /**
   * A message was accepted.
   *
   * @param sender the reverse-path; empty for the null one
   * @param heldReason why it is held from the beginning; empty when it is not
   * @param about the message that this one is a report about; null for mail
   */
  public record Accepted(
      Arrival arrival,
      String sender,
      List<String> recipients,
      long size,
      String heldReason,
      @Nullable QueueId about)
      implements Detail {
    public Accepted {
      recipients = List.copyOf(recipients);
    }

    @Override
    public String type() {
      return "accepted";
    }
  }

  /** The result of an attempt for one recipient. */
  public enum Result {
    DELIVERED("delivered"),
    DEFERRED("deferred"),
    BOUNCED("bounced"),
    /** Given up, since its time was over. */
    EXPIRED("expired");

    private final String text;

    Result(String text) {
      this.text = text;
    }
  }

  /**
   * An attempt for one recipient has ended.
   *
   * @param attempt its number, from 1 on
   * @param untilMillis the time of the next attempt of a deferred recipient, else 0
   * @param reply the words of the remote host, or the reason of this one
   * @param remote {@code name[address]:port}; empty when no host was reached
   * @param tls protocol and cipher suite; empty for a plain connection or none
   */
  public record Attempted(
      Result result,
      String sender,
      String recipient,
      int attempt,
      long untilMillis,
      EnhancedStatus status,
      String reply,
      String remote,
      String tls)
      implements Detail {
    @Override
    public String type() {
      return result.text;
    }
  }

  /** The change that an operator has ordered. */
  public enum Order {
    HELD("held"),
    RELEASED("released"),
    RETRIED("retried"),
    DELETED("deleted");

    private final String text;

    Order(String text) {
      this.text = text;
    }
  }

  /** An operator has changed the message. */
  public record Ordered(Order order, String sender) implements Detail {
    @Override
    public String type() {
      return order.text;
    }
  }
}
