package org.quorumail.smtp.server;

/** The settings, services and meters that the sessions of one listener share. */
record ListenerContext(
    ListenerConfig config, ServerContext server, Availability availability, SmtpMetrics metrics) {}
