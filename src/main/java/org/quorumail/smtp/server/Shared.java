package org.quorumail.smtp.server;

import org.quorumail.config.Config.ListenerConfig;

/** What the sessions of one listener have in common. */
record Shared(
    ListenerConfig config, ServerContext context, Availability availability, SmtpMetrics metrics) {}
