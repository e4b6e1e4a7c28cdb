/**
 * The policy: it decides whether a client, sender, recipient or message may proceed. Start with
 * {@link org.quorumail.policy.MessageFilter}, the one interface of all decisions, and {@link
 * org.quorumail.policy.FilterSession}, which asks the filters of one session. {@link
 * org.quorumail.policy.RelayPolicy} is the relay rule. All sessions' threads share the filters; a
 * {@code FilterSession} belongs to one of them. RFC 5321 §3.6.2, §3.9, §4.5.1; RFC 2505 §2.1. Must
 * not know listeners, spool or delivery.
 */
@NullMarked
package org.quorumail.policy;

import org.jspecify.annotations.NullMarked;
