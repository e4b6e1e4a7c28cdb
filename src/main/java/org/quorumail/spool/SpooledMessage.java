package org.quorumail.spool;

import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.ReversePath;

/**
 * An accepted message without its content.
 *
 * @param arrivedMillis when it was accepted, milliseconds of the epoch, by the accepting node
 * @param size bytes of the content
 * @param recipients in the order of the envelope; a place in this list never changes
 * @param delayReported whether the sender has been told of the delay
 */
public record SpooledMessage(
    QueueId id,
    ReversePath reversePath,
    BodyType body,
    long arrivedMillis,
    long size,
    boolean held,
    boolean delayReported,
    List<RecipientState> recipients) {

  public SpooledMessage {
    recipients = List.copyOf(recipients);
  }

  SpooledMessage withHeld(boolean held) {
    return new SpooledMessage(
        id, reversePath, body, arrivedMillis, size, held, delayReported, recipients);
  }

  SpooledMessage withDelayReported(boolean delayReported) {
    return new SpooledMessage(
        id, reversePath, body, arrivedMillis, size, held, delayReported, recipients);
  }

  SpooledMessage withRecipients(List<RecipientState> recipients) {
    return new SpooledMessage(
        id, reversePath, body, arrivedMillis, size, held, delayReported, recipients);
  }

  /** The earliest time of the pending recipients of each domain, in the order of the domains. */
  SortedMap<String, Long> dueByDomain() {
    SortedMap<String, Long> due = new TreeMap<>();
    for (RecipientState r : recipients) {
      if (r.status() == Status.PENDING) due.merge(r.address().domain(), r.dueMillis(), Math::min);
    }
    return due;
  }

  /** Where one recipient stands. */
  public record RecipientState(
      MailAddress address, Status status, int attempts, long dueMillis, String diagnostic) {}

  public enum Status {
    PENDING,
    DELIVERED,
    FAILED
  }
}
