package org.quorumail.delivery;

import java.time.Duration;

/**
 * A destination as operators see it.
 *
 * @param window attempts that may run at once now
 * @param idle connections that wait for a message
 * @param circuitOpenFor the time for which nothing is tried because all hosts fail; zero for none
 */
public record DestinationStats(
    String name, int running, int window, int idle, Duration circuitOpenFor) {}
