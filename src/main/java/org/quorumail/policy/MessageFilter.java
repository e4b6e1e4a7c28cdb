package org.quorumail.policy;

import java.io.IOException;
import org.quorumail.mail.MailAddress;

/**
 * A filter decides about mail at the stages of a session. All policy uses this one interface: the
 * relay rule, lists, limits, DNS lists, greylisting, milters and extensions. An extension is found
 * by {@link java.util.ServiceLoader} or named in {@code policy.filters.classes}.
 *
 * <p>A filter without state per session implements the stages it needs and is used by many threads.
 * A filter with such state returns a new part from {@link #inSession}; one thread uses the part.
 * Calls may block: they run on virtual threads.
 */
public interface MessageFilter {
  /** The name in logs and metrics: a word without blanks. */
  default String name() {
    return getClass().getSimpleName();
  }

  /** The part of this filter in one session. */
  default MessageFilter inSession(SessionView session) {
    return this;
  }

  /** Called before the greeting. */
  default Verdict connect(SessionView session) {
    return Verdict.ACCEPT;
  }

  /** Called at EHLO, HELO or LHLO; once more after STARTTLS. */
  default Verdict ehlo(SessionView session) {
    return Verdict.ACCEPT;
  }

  /** Called at MAIL. */
  default Verdict mail(SessionView session) {
    return Verdict.ACCEPT;
  }

  /** Called for one recipient, which is not yet among {@link SessionView#recipients}. */
  default Verdict rcpt(SessionView session, MailAddress recipient) {
    return Verdict.ACCEPT;
  }

  /** Returns whether {@link #data} reads the content. Called before the content arrives. */
  default boolean readsContent(SessionView session) {
    return true;
  }

  /**
   * Called when the whole message has arrived and before the server answers. Called only when
   * {@link #readsContent} was true.
   *
   * @param content as received, with the edits of earlier filters, without this host's Received
   *     field
   * @throws IOException when the content cannot be read: the message is deferred
   */
  default Verdict data(SessionView session, MessageContent content) throws IOException {
    return Verdict.ACCEPT;
  }

  /** Called when the transaction has ended, whichever way; its state can be dropped. */
  default void reset(SessionView session) {}

  /** Called at the end of the session, on the part that {@link #inSession} returned. */
  default void close(SessionView session) {}

  /**
   * Returns whether this filter only checks reputation. Such a filter runs neither for clients that
   * the relay rule trusts nor after a {@link Verdict.Exempt}.
   */
  default boolean judgesReputation() {
    return false;
  }
}
