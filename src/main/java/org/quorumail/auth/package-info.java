/**
 * Who a client is: SASL mechanisms as small state machines over octets (RFC 4422), and the users
 * behind them, kept in a file or in an LDAP directory, or vouched for by signed tokens. Start with
 * {@link org.quorumail.auth.Authentication}, then {@link org.quorumail.auth.SaslMechanism}. Called
 * by each session's own thread; a {@code SaslMechanism} belongs to one exchange, everything else is
 * shared and thread-safe. RFC 4616 (PLAIN), RFC 5802 and 7677 (SCRAM), RFC 5929 and 9266 (channel
 * bindings), RFC 7628 (OAUTHBEARER), RFC 4013 (SASLprep), RFC 5803 (the form of stored keys). Must
 * not know SMTP: base64, lines and replies are the session's.
 */
@NullMarked
package org.quorumail.auth;

import org.jspecify.annotations.NullMarked;
