/**
 * Delivery status notifications: the reports to a sender about mail that failed or is late, or that
 * arrived when the sender asked for a report. Start with {@link org.quorumail.dsn.DsnComposer}.
 * Pure: text and bytes in, bytes out, no threads, no clock. RFC 3461 (what is asked for), RFC 3464
 * (the report), RFC 6533 (with UTF-8), RFC 6522 (multipart/report), RFC 3834 (Auto-Submitted), RFC
 * 5321 §6.1 (null reverse-path). Must not know when a report is due or how it is sent.
 */
@NullMarked
package org.quorumail.dsn;

import org.jspecify.annotations.NullMarked;
