/**
 * The built-in checks, each a {@link org.quorumail.policy.MessageFilter}: lists, rates, HELO and
 * reverse DNS, DNS lists, greylisting. Start with {@link org.quorumail.policy.checks.AccessLists}.
 * The checks are immutable but for their {@link org.quorumail.policy.PolicyState}; every session's
 * thread calls them. RFC 5782 (DNS lists), RFC 6647 (greylisting), RFC 5321 §4.1.4 (EHLO's name),
 * RFC 8601 §2.7.3 (forward-confirmed reverse DNS). Must not know listeners, spool or delivery.
 */
@NullMarked
package org.quorumail.policy.checks;

import org.jspecify.annotations.NullMarked;
