/**
 * The authentication of clients. SASL mechanisms are small state machines over octets (RFC 4422).
 * Their users are kept in a file or an LDAP directory, or proved by signed tokens. Start with
 * {@link org.quorumail.auth.Authentication}, then {@link org.quorumail.auth.SaslMechanism}. Each
 * session's thread calls this package: a {@code SaslMechanism} belongs to one exchange, all else is
 * shared and thread-safe. RFC 4616 (PLAIN), RFC 5802 and 7677 (SCRAM), RFC 5929 and 9266 (channel
 * bindings), RFC 7628 (OAUTHBEARER), RFC 4013 (SASLprep), RFC 5803 (the form of stored keys). Must
 * not know SMTP: base64, lines and replies belong to the session.
 */
@NullMarked
package org.quorumail.auth;

import org.jspecify.annotations.NullMarked;
