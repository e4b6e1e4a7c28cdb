/**
 * Sessions in. Start with {@link org.quorumail.smtp.server.SmtpSession}: one straight loop between
 * {@link org.quorumail.smtp.server.Greeting} and the farewell; the commands of a transaction are in
 * {@link org.quorumail.smtp.server.MailCommands}, one method per verb; {@link
 * org.quorumail.smtp.server.EhloExtensions} lists what EHLO offers. {@link
 * org.quorumail.smtp.server.SmtpListener} accepts connections and bounds them. Threads: one
 * platform thread per listener accepts, one virtual thread per session does all else and owns all
 * state of the session. RFC 5321, 1870 (SIZE), 1985 (ETRN), 2033 (LMTP), 2034 (status codes), 2852
 * (DELIVERBY), 2920 (PIPELINING), 3030 (CHUNKING, BINARYMIME), 3207 (STARTTLS), 3461 (DSN), 4865
 * (FUTURERELEASE), 6152 (8BITMIME), 6409 (submission), 6531 (SMTPUTF8), 6710 (MT-PRIORITY), 8689
 * (REQUIRETLS), 9422 (LIMITS), the PROXY protocol, XCLIENT. Must not know how mail is stored or
 * delivered: a message goes to the {@link org.quorumail.spool.Intake}, and only its word lets a
 * session say 250.
 */
@NullMarked
package org.quorumail.smtp.server;

import org.jspecify.annotations.NullMarked;
