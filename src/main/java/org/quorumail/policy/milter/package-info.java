/**
 * The milter client: filters that speak Sendmail's protocol, version 6, such as rspamd, opendkim
 * and clamav-milter, as {@link org.quorumail.policy.MessageFilter}s. Start with {@link
 * org.quorumail.policy.milter.MilterSession}: one connection per SMTP session. It runs on the
 * session's thread; one timer thread closes connections whose time is over. The protocol is that of
 * libmilter (Sendmail's {@code include/libmilter/mfdef.h}); there is no RFC. Must not know
 * listeners, spool or delivery.
 */
@NullMarked
package org.quorumail.policy.milter;

import org.jspecify.annotations.NullMarked;
