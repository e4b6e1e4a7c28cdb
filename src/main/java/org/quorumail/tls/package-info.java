/**
 * Certificates and how listeners use them. Start with {@link org.quorumail.tls.ServerTls}: what one
 * listener shakes hands with, made from PEM files ({@link org.quorumail.tls.CertifiedKey}). {@link
 * org.quorumail.tls.ClientHello} finds the server name before the handshake, {@link
 * org.quorumail.tls.ClientCertificateVerifier} says who a client with a certificate is. Immutable
 * values; a reload makes new ones. RFC 8446, RFC 5246, RFC 6066 §3 (SNI), RFC 8996, RFC 9325. Must
 * not know sessions, or what a certificate allows.
 */
@NullMarked
package org.quorumail.tls;

import org.jspecify.annotations.NullMarked;
