/**
 * The values of mail, free of any protocol or storage: address, envelope, queue id, outcome, class
 * of a failure, command of an operator. Start with {@link org.quorumail.mail.Envelope} and {@link
 * org.quorumail.mail.Outcome}. Immutable values, no threads. RFC 5321 §4.1.2 (addresses), RFC 3463
 * (enhanced status codes). Of Quorumail it knows only how the configuration writes a local part.
 */
@NullMarked
package org.quorumail.mail;

import org.jspecify.annotations.NullMarked;
