package org.quorumail.admin;

import java.util.Locale;
import java.util.function.Predicate;
import org.quorumail.api.QueueCriteria;
import org.quorumail.classification.FailureClassifier;
import org.quorumail.spool.SpooledMessage;
import org.quorumail.spool.SpooledMessage.RecipientState;
import org.quorumail.spool.SpooledMessage.RecipientStatus;

/** Tests the criteria of a queue filter that no index of the spool serves. */
record CriteriaPredicate(QueueCriteria filter, FailureClassifier classifier)
    implements Predicate<SpooledMessage> {
  @Override
  public boolean test(SpooledMessage message) {
    if (message.size() < filter.minSize()) return false;
    if (filter.status().equals(QueueReport.FAILED) && !hasFailed(message)) return false;
    if (filter.minAttempts() > 0
        && message.recipients().stream().noneMatch(r -> r.attempts() >= filter.minAttempts()))
      return false;
    return (filter.recipient().isEmpty() && filter.error().isEmpty() && hasNoClass())
        || message.recipients().stream().anyMatch(this::fits);
  }

  private boolean hasNoClass() {
    return filter.failureClass().isEmpty();
  }

  private static boolean hasFailed(SpooledMessage message) {
    return message.recipients().stream().anyMatch(r -> r.status() == RecipientStatus.FAILED);
  }

  private boolean fits(RecipientState r) {
    if (!begins(r.address().toString(), filter.recipient())) return false;
    if (filter.error().isEmpty() && hasNoClass()) return true;
    boolean waits = r.status() == RecipientStatus.PENDING && r.attempts() > 0;
    if (!waits) return false;
    String reply = r.diagnostic();
    boolean hasWords =
        reply.toLowerCase(Locale.ROOT).contains(filter.error().toLowerCase(Locale.ROOT));
    return hasWords
        && (hasNoClass()
            || classifier.classify(reply).failureClass().text().equals(filter.failureClass()));
  }

  private static boolean begins(String address, String prefix) {
    return address.regionMatches(true, 0, prefix, 0, prefix.length());
  }
}
