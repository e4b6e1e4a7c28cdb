package org.quorumail.queue;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.quorumail.delivery.DestinationStats;

/**
 * The schedule as operators see it.
 *
 * @param running attempts under way
 * @param ready claims in memory that wait for room
 * @param domains with mail, as the last sweep saw them
 * @param oldestDue for how long the longest waiting recipient has been due
 * @param suspended domains and for how much longer
 */
public record QueueStats(
    int running,
    int ready,
    int domains,
    Duration oldestDue,
    List<DestinationStats> destinations,
    Map<String, Duration> suspended) {}
