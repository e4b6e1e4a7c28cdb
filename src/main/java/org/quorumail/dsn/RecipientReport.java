package org.quorumail.dsn;

import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.Recipient;

/**
 * What is said about one recipient.
 *
 * @param remote the host that answered, or empty
 */
public record RecipientReport(
    Recipient recipient,
    DsnAction action,
    EnhancedStatus status,
    String diagnostic,
    String remote) {}
