/**
 * The resolver: where mail for a domain goes, and the addresses of a host, with a bounded cache.
 * Start with {@link org.quorumail.dns.Resolver}. Blocking, thread-safe, callers are virtual
 * threads; every lookup is bounded in time, names followed and answers kept. RFC 1035, RFC 2308
 * (negative answers), RFC 5321 §5.1 (MX), RFC 7505 (null MX). Must not know SMTP, routes or the
 * spool; whether an address is our own is for {@code delivery} to judge.
 */
@NullMarked
package org.quorumail.dns;

import org.jspecify.annotations.NullMarked;
