package org.quorumail.queue;

import java.time.Duration;

/**
 * The wish of a rule that a domain gets no mail for a time.
 *
 * @param reason the words of the failure
 * @param author the rule
 */
public record SuspensionRequest(String domain, Duration time, String reason, String author) {}
