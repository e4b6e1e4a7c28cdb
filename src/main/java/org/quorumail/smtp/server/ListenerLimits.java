package org.quorumail.smtp.server;

/** Zero messages: no limit. */
public record ListenerLimits(
    int connections, int connectionsPerIp, int recipients, int messages, int errors, int line) {}
