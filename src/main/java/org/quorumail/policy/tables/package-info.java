/**
 * Tables of recipients that are asked over the network: an HTTP service, an LDAP directory, with a
 * cache before them. Start with {@link org.quorumail.policy.tables.CachingRecipientTable}.
 * Thread-safe; each question has a total time. RFC 9110 (HTTP), RFC 4511 and 4515 (LDAP and its
 * filters). Must not know sessions, spool or delivery.
 */
@NullMarked
package org.quorumail.policy.tables;

import org.jspecify.annotations.NullMarked;
