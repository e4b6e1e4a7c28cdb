package org.quorumail.api;

import java.net.InetSocketAddress;

/**
 * The settings of {@code [health]}: the HTTP server of probes, API and metrics.
 *
 * @param maxQueueSize messages in the queue above which the node is not ready
 */
public record HttpServerConfig(
    boolean enabled, InetSocketAddress listenAddress, long maxQueueSize) {}
