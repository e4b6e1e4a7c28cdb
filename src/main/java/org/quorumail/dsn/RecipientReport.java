package org.quorumail.dsn;

import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.MailAddress;

/**
 * What is said about one recipient.
 *
 * @param remote the host that answered, or empty
 */
public record RecipientReport(
    MailAddress recipient, EnhancedStatus status, String diagnostic, String remote) {}
