/**
 * The language of SMTP, shared by server and client: lines, replies, the content and its final dot,
 * paths and parameters, and the connection with its deadlines.
 *
 * <p>Start with {@link org.quorumail.smtp.SmtpChannel}, then read {@link
 * org.quorumail.smtp.SmtpReader} and {@link org.quorumail.smtp.SmtpWriter}.
 *
 * <p>Threads: input and output block. A channel belongs to the (virtual) thread of its session; the
 * thread {@code smtp-watchdog} closes channels whose deadline has passed.
 *
 * <p>RFC 5321 §2.3.8, §4.1.2, §4.2, §4.5.2; RFC 2034, RFC 2920, RFC 3030 (BDAT), RFC 3207, RFC 3461
 * §4 (xtext, ORCPT), RFC 6531 and RFC 6533 (UTF-8), RFC 5891 (IDNA). The package must not know
 * sessions, policy, spool or delivery.
 */
@NullMarked
package org.quorumail.smtp;

import org.jspecify.annotations.NullMarked;
