/**
 * A bounded pool of connections to LDAP directories, with a total time for each request. Start with
 * {@link org.quorumail.ldap.LdapDirectory}. Thread-safe; called on the threads of sessions, which
 * wait for the answer. RFC 4511 (LDAP), RFC 4513 (StartTLS and binds). Must not know mail, users or
 * recipients: the callers build the filters and judge the entries.
 */
@NullMarked
package org.quorumail.ldap;

import org.jspecify.annotations.NullMarked;
