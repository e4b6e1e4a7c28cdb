package org.quorumail.delivery;

import java.time.Duration;

/**
 * A destination as operators see it.
 *
 * @param window attempts that may run at once at the moment
 * @param idle connections that wait for a message
 * @param circuitOpenFor how long it is left alone because all its hosts fail; zero when it is not
 */
public record DestinationStats(
    String name, int running, int window, int idle, Duration circuitOpenFor) {}
