package org.quorumail.smtp.client;

import java.time.Duration;

/** The timeouts of {@code [delivery.smtp_timeouts]}, one for each step of RFC 5321 §4.5.3.2. */
public record SmtpTimeouts(
    Duration connect,
    Duration ehlo,
    Duration starttls,
    Duration mailFrom,
    Duration rcptTo,
    Duration data,
    Duration finalDot,
    Duration quit) {}
