/**
 * The DNS resolver with its bounded cache: the exchangers of a domain, the addresses of a host.
 * Start with {@link org.quorumail.dns.Resolver}. Blocking and thread-safe; the callers are virtual
 * threads. Every lookup is bounded in time, in aliases followed and in answers kept. RFC 1035, RFC
 * 2308 (negative answers), RFC 5321 §5.1 (MX), RFC 7505 (null MX). Must not know SMTP, routes or
 * the spool; {@code delivery} decides whether an address belongs to this node.
 */
@NullMarked
package org.quorumail.dns;

import org.jspecify.annotations.NullMarked;
