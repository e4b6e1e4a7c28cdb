package org.quorumail.delivery.local;

import java.io.InputStream;
import java.util.function.Supplier;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.ReversePath;

/**
 * A message for one recipient.
 *
 * @param recipientIndex the recipient's place in the envelope
 */
public record LocalMessage(
    QueueId id,
    int recipientIndex,
    ReversePath reversePath,
    MailAddress recipient,
    Supplier<InputStream> content) {}
