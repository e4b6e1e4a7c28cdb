package org.quorumail.api;

import java.net.InetSocketAddress;

public record HttpServerConfig(
    boolean enabled, InetSocketAddress listenAddress, long maxQueueSize) {}
