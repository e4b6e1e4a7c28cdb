/**
 * Recipient tables behind the network: an HTTP service and an LDAP directory, with a cache before
 * each. Start with {@link org.quorumail.policy.tables.CachingRecipientTable}. Thread-safe; each
 * query has a total time. RFC 9110 (HTTP), RFC 4511 and 4515 (LDAP and its filters). Must not know
 * listeners, spool or delivery.
 */
@NullMarked
package org.quorumail.policy.tables;

import org.jspecify.annotations.NullMarked;
