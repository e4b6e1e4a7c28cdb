package org.quorumail.tools;

import java.util.List;

/**
 * The counts of a run's messages by their end. Acknowledged = delivered once + delivered more often
 * + bounced + queued + lost.
 *
 * @param duplicates deliveries beyond the first, of acknowledged and unacknowledged attempts
 * @param corrupt attempts of which a copy arrived with a changed body
 * @param unacknowledgedDelivered attempts without a 250 that were delivered nevertheless
 * @param repeatedQueueIds replies with a queue id that an earlier reply had already
 * @param strangers deliveries of messages that this run did not send
 */
public record MessageTally(
    int attempts,
    int acknowledged,
    int deliveredOnce,
    int deliveredMore,
    int bounced,
    int queued,
    List<String> lost,
    int duplicates,
    int corrupt,
    int unacknowledgedDelivered,
    int repeatedQueueIds,
    int strangers) {

  /** True when no acknowledged message is missing, changed or invented. Duplicates do not count. */
  public boolean isWhole() {
    return lost.isEmpty() && corrupt == 0 && strangers == 0 && repeatedQueueIds == 0 && addsUp();
  }

  public boolean addsUp() {
    return acknowledged == deliveredOnce + deliveredMore + bounced + queued + lost.size();
  }

  public int delivered() {
    return deliveredOnce + deliveredMore;
  }
}
