package org.quorumail.policy;

import java.io.IOException;
import org.quorumail.mail.MailAddress;

/**
 * Decides about mail at the stages of a session. All policy goes through this one interface: the
 * relay rule, lists, limits, DNS lists, greylisting, milters, and filters of others, which are
 * found by {@link java.util.ServiceLoader} or named in {@code policy.filters.classes}.
 *
 * <p>A filter without state of its own per session implements the stages it cares about and is used
 * by many threads. One with such state returns a new part from {@link #inSession}; a part is used
 * by one thread. Calls may block: they run on virtual threads.
 */
public interface MessageFilter {
  /** For logs and metrics: a word without blanks. */
  default String name() {
    return getClass().getSimpleName();
  }

  /** The part of this filter in one session. */
  default MessageFilter inSession(SessionView session) {
    return this;
  }

  /** Before the greeting. */
  default Verdict connect(SessionView session) {
    return Verdict.ACCEPT;
  }

  /** EHLO, HELO or LHLO; once more after STARTTLS. */
  default Verdict ehlo(SessionView session) {
    return Verdict.ACCEPT;
  }

  default Verdict mail(SessionView session) {
    return Verdict.ACCEPT;
  }

  /** One recipient, not yet among {@link SessionView#recipients}. */
  default Verdict rcpt(SessionView session, MailAddress recipient) {
    return Verdict.ACCEPT;
  }

  /** Whether {@link #data} reads the content. Asked when the content is about to come. */
  default boolean readsContent(SessionView session) {
    return true;
  }

  /**
   * The whole message has arrived and nothing is promised yet. Called only when {@link
   * #readsContent} said so.
   *
   * @param content as received, with what earlier filters changed; without our own Received field
   * @throws IOException when the content cannot be read: the client is told to come again
   */
  default Verdict data(SessionView session, MessageContent content) throws IOException {
    return Verdict.ACCEPT;
  }

  /** The transaction is over, by whatever way; what was kept for it can go. */
  default void reset(SessionView session) {}

  /** The session is over. Called on the part that {@link #inSession} gave. */
  default void close(SessionView session) {}

  /**
   * Whether this filter only judges reputation: then it does not run for clients that the relay
   * rule trusts, nor after a {@link Verdict.Exempt}.
   */
  default boolean judgesReputation() {
    return false;
  }
}
