package org.quorumail.smtp.server;

/** What the sessions of one listener have in common. */
record ListenerContext(
    ListenerConfig config, ServerContext context, Availability availability, SmtpMetrics metrics) {}
