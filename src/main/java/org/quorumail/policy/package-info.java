/**
 * May this client, sender, recipient, message proceed. Start with {@link
 * org.quorumail.policy.MessageFilter}, the one way in which anything decides, and {@link
 * org.quorumail.policy.FilterSession}, which asks the filters in a session; {@link
 * org.quorumail.policy.RelayPolicy} is the relay rule. Filters are shared by all sessions' threads,
 * a screening belongs to one. RFC 5321 §3.6.2, §3.9, §4.5.1; RFC 2505 §2.1. Must not know sessions,
 * spool or delivery.
 */
@NullMarked
package org.quorumail.policy;

import org.jspecify.annotations.NullMarked;
