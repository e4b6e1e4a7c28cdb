/**
 * The SMTP, submission and LMTP server: listeners and their sessions.
 *
 * <p>Start with {@link org.quorumail.smtp.server.SmtpListener}, which accepts connections within
 * the limits, then read {@link org.quorumail.smtp.server.SmtpSession}, the loop of commands. {@link
 * org.quorumail.smtp.server.MailCommands} has the commands of a transaction, one method per verb.
 * {@link org.quorumail.smtp.server.IncomingMessage} receives the content and commits it. {@link
 * org.quorumail.smtp.server.SessionContext} is the state that they share. {@link
 * org.quorumail.smtp.server.EhloExtensions} lists the extensions. {@link
 * org.quorumail.smtp.server.InjectionEndpoint} takes messages of other protocols, such as HTTP,
 * through the same stages on the threads of their requests.
 *
 * <p>Threads: one platform thread per listener accepts ({@code smtp-accept-PORT}). One virtual
 * thread per session ({@code smtp-session}) does all else and owns the state of its session.
 *
 * <p>RFC 5321, 1870 (SIZE), 1985 (ETRN), 2033 (LMTP), 2034 (status codes), 2852 (DELIVERBY), 2920
 * (PIPELINING), 3030 (CHUNKING, BINARYMIME), 3207 (STARTTLS), 3461 (DSN), 4865 (FUTURERELEASE),
 * 4954 (AUTH), 6152 (8BITMIME), 6409 (submission), 6531 (SMTPUTF8), 6710 (MT-PRIORITY), 8689
 * (REQUIRETLS), 9422 (LIMITS), the PROXY protocol, XCLIENT. The package must not know the storage
 * or the delivery of mail: a message goes to the {@link org.quorumail.spool.Intake}, and only its
 * answer lets a session reply 250.
 */
@NullMarked
package org.quorumail.smtp.server;

import org.jspecify.annotations.NullMarked;
