/**
 * Certificates and keys from PEM files, and the TLS of listeners.
 *
 * <p>Start with {@link org.quorumail.tls.ServerTls}, the TLS of one listener. {@link
 * org.quorumail.tls.PemFile} reads all certificates and keys of the program. {@link
 * org.quorumail.tls.ClientHello} finds the server name before the handshake; {@link
 * org.quorumail.tls.ClientCertificateVerifier} verifies the certificates of clients.
 *
 * <p>Threads: all objects are immutable; a reload makes new ones.
 *
 * <p>RFC 8446, RFC 5246, RFC 6066 §3 (SNI), RFC 7468 (PEM), RFC 8996, RFC 9325. The package must
 * not know sessions, or the rights that a certificate gives.
 */
@NullMarked
package org.quorumail.tls;

import org.jspecify.annotations.NullMarked;
