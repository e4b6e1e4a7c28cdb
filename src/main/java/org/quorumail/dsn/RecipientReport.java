package org.quorumail.dsn;

import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.Recipient;

/**
 * The entry of a report about one recipient.
 *
 * @param remote the host that replied, or empty
 */
public record RecipientReport(
    Recipient recipient,
    DsnAction action,
    EnhancedStatus status,
    String diagnostic,
    String remote) {}
