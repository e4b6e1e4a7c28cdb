package org.quorumail.tools;

import java.util.List;

/**
 * Where every message of a run ended. The first six add up: acknowledged = delivered once +
 * delivered more often + bounced + queued + lost.
 *
 * @param duplicates deliveries beyond the first, of acknowledged and unacknowledged attempts
 * @param corrupt attempts of which a copy arrived with a changed body
 * @param unacknowledgedDelivered attempts without a 250 that were delivered all the same
 * @param repeatedQueueIds a second 250 with a queue id that was given out before
 * @param strangers deliveries of messages that nobody sent
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

  /** Nothing acknowledged is missing, changed or invented. Duplicates are judged by the bound. */
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
