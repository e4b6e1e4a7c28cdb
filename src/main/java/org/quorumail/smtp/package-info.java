/**
 * The language of SMTP, shared by server and client: replies, lines, the dot at the end of data,
 * paths, TLS contexts, and the connection with its deadlines. Start with {@link
 * org.quorumail.smtp.SmtpChannel}, then {@link org.quorumail.smtp.SmtpReader} and {@link
 * org.quorumail.smtp.SmtpWriter}. Blocking; each object belongs to the one (virtual) thread of its
 * session, except that {@link org.quorumail.smtp.SmtpChannel} is closed by its watchdog thread when
 * a deadline has passed. RFC 5321 §2.3.8, §4.1.2, §4.2, §4.5.2; RFC 2034; RFC 2920; RFC 3207; RFC
 * 3461 §4 (xtext). Must not know sessions, policy, spool or delivery.
 */
@NullMarked
package org.quorumail.smtp;

import org.jspecify.annotations.NullMarked;
