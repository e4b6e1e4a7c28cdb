package org.quorumail.smtp.server;

/** The limits of a listener and of each session; zero messages means no limit. */
public record ListenerLimits(
    int connections, int connectionsPerIp, int recipients, int messages, int errors, int line) {}
