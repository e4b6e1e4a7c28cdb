package org.quorumail.smtp.client;

import java.time.Duration;

public record SmtpTimeouts(
    Duration connect,
    Duration ehlo,
    Duration starttls,
    Duration mailFrom,
    Duration rcptTo,
    Duration data,
    Duration finalDot,
    Duration quit) {}
