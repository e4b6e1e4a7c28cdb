/**
 * May this client, sender, recipient proceed: the relay rule and the table of known recipients.
 * Start with {@link org.quorumail.policy.RelayPolicy}. Immutable values, asked by every session's
 * thread. RFC 5321 §3.6.2, §4.5.1; RFC 2505 §2.1. Must not know sessions, spool or delivery.
 */
@NullMarked
package org.quorumail.policy;

import org.jspecify.annotations.NullMarked;
