package org.quorumail.smtp.server;

import java.time.Duration;

/** The timeouts of a session, RFC 5321 §4.5.3.2.7 and after. */
public record ListenerTimeouts(
    Duration command,
    Duration dataInit,
    Duration dataBlock,
    Duration dataTermination,
    Duration connection) {}
