package org.quorumail.spool;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.MailOptions;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.Recipient;
import org.quorumail.mail.ReversePath;

/**
 * An accepted message without its content.
 *
 * @param arrivedMillis the time of acceptance by the accepting node, milliseconds of the epoch
 * @param size bytes that are sent: prefix and content
 * @param recipients in the order of the envelope; an index into this list never changes
 * @param delayReported whether a delay DSN was accepted
 */
public record SpooledMessage(
    QueueId id,
    ReversePath reversePath,
    MailOptions options,
    long arrivedMillis,
    long size,
    boolean held,
    boolean delayReported,
    List<RecipientState> recipients) {

  /** The milliseconds that each step of a raised priority gains. */
  private static final long RAISED_PRIORITY_MILLIS = 600_000;

  /** The milliseconds that each step of a lowered priority costs. */
  private static final long LOWERED_PRIORITY_MILLIS = 2_000;

  public SpooledMessage {
    recipients = List.copyOf(recipients);
  }

  /** A message without options but a kind of body. */
  public SpooledMessage(
      QueueId id,
      ReversePath reversePath,
      BodyType body,
      long arrivedMillis,
      long size,
      boolean held,
      boolean delayReported,
      List<RecipientState> recipients) {
    this(
        id,
        reversePath,
        MailOptions.of(body),
        arrivedMillis,
        size,
        held,
        delayReported,
        recipients);
  }

  /**
   * A message at the moment that it is accepted. Each message in the store begins here, so an
   * address without a domain, to which nothing could be delivered, is refused here.
   *
   * @param size bytes of prefix and content
   * @param holdReason why it may not leave before an operator releases it
   */
  static SpooledMessage accepted(
      QueueId id, Envelope envelope, long arrivedMillis, long size, Optional<String> holdReason) {
    if (!envelope.isQualified()) {
      throw new IllegalArgumentException("an address of message " + id + " has no domain");
    }
    String diagnostic = holdReason.map(reason -> "held: " + reason).orElse("");
    long due = firstDueMillis(envelope.options(), arrivedMillis);
    List<RecipientState> recipients = new ArrayList<>(envelope.recipients().size());
    for (Recipient recipient : envelope.recipients()) {
      recipients.add(new RecipientState(recipient, RecipientStatus.PENDING, 0, due, diagnostic));
    }
    return new SpooledMessage(
        id,
        envelope.reversePath(),
        envelope.options(),
        arrivedMillis,
        size,
        holdReason.isPresent(),
        false,
        recipients);
  }

  public BodyType body() {
    return options.body();
  }

  /** Returns the time from which delivery may be tried and its time counts (RFC 4865 §4). */
  public long deliverFromMillis() {
    return Math.max(arrivedMillis, options.holdUntilMillis());
  }

  /**
   * Returns the due time of a message that could leave at the given time. Earlier due times are
   * tried first. So a message of priority p overtakes those that came up to 10·p minutes before it
   * (RFC 6710 §5) and starves none. One of low priority lets others pass for some seconds. No
   * message is due before the time that its sender has set.
   */
  static long firstDueMillis(MailOptions options, long atMillis) {
    int priority = options.priority();
    if (priority > 0)
      return Math.max(atMillis - priority * RAISED_PRIORITY_MILLIS, options.holdUntilMillis());
    return Math.max(atMillis, options.holdUntilMillis()) - priority * LOWERED_PRIORITY_MILLIS;
  }

  SpooledMessage withHeld(boolean held) {
    return new SpooledMessage(
        id, reversePath, options, arrivedMillis, size, held, delayReported, recipients);
  }

  SpooledMessage withDelayReported(boolean delayReported) {
    return new SpooledMessage(
        id, reversePath, options, arrivedMillis, size, held, delayReported, recipients);
  }

  SpooledMessage withRecipients(List<RecipientState> recipients) {
    return new SpooledMessage(
        id, reversePath, options, arrivedMillis, size, held, delayReported, recipients);
  }

  /** The earliest time of the pending recipients of each domain, in the order of the domains. */
  SortedMap<String, Long> dueByDomain() {
    SortedMap<String, Long> due = new TreeMap<>();
    for (RecipientState r : recipients) {
      if (r.status() == RecipientStatus.PENDING)
        due.merge(r.address().domain(), r.dueMillis(), Math::min);
    }
    return due;
  }

  /** The state of one recipient. */
  public record RecipientState(
      Recipient recipient,
      RecipientStatus status,
      int attempts,
      long dueMillis,
      String diagnostic) {
    /** A recipient without options. */
    public RecipientState(
        MailAddress address,
        RecipientStatus status,
        int attempts,
        long dueMillis,
        String diagnostic) {
      this(new Recipient(address), status, attempts, dueMillis, diagnostic);
    }

    public MailAddress address() {
      return recipient.address();
    }
  }

  public enum RecipientStatus {
    PENDING,
    DELIVERED,
    FAILED
  }
}
