package org.quorumail.queue;

import java.time.Duration;
import java.util.List;
import org.quorumail.delivery.DestinationStats;

/**
 * The schedule as operators see it.
 *
 * @param running attempts that run
 * @param ready claims in memory that wait for room at their destination
 * @param domains the number of domains with mail, as of the last sweep
 * @param oldestDue the time for which the oldest recipient has been due
 */
public record QueueStats(
    int running, int ready, int domains, Duration oldestDue, List<DestinationStats> destinations) {}
