/**
 * The SMTP and LMTP client: one connection to a next hop, opened, secured and used for one message
 * after the other. Start with {@link org.quorumail.smtp.client.SmtpClient#open}, then {@link
 * org.quorumail.smtp.client.SmtpConnection#send}. Blocking; a connection belongs to one thread at a
 * time. One short virtual thread connects to each address of a host that has several; another
 * thread may abort a {@link org.quorumail.smtp.client.Dial}. Results are values: no reply of a
 * server becomes an exception. RFC 5321 §3, §4.5.3.2 (timeouts), RFC 1870 (SIZE), RFC 2033 (LMTP),
 * RFC 2852 (DELIVERBY), RFC 2920 (PIPELINING), RFC 3207 (STARTTLS), RFC 3030 (CHUNKING,
 * BINARYMIME), RFC 3461 (DSN), RFC 6152 (8BITMIME), RFC 6531 (SMTPUTF8), RFC 6710 (MT-PRIORITY),
 * RFC 8689 (REQUIRETLS), RFC 9422 (LIMITS), RFC 7435 (opportunistic security), RFC 8305 (connection
 * attempts). Must not know routes, retries or the spool.
 */
@NullMarked
package org.quorumail.smtp.client;

import org.jspecify.annotations.NullMarked;
