/**
 * Transports between real nodes: frames over UDP and TCP, sealed with keys derived from the
 * cluster's secret, or QUIC with certificates. Start with {@link
 * org.quorumail.gossip.transport.Transport}, then {@link org.quorumail.gossip.transport.Opener},
 * which decides which frames are accepted.
 *
 * <p>Threads: those of {@link org.quorumail.gossip.transport.SealedTransport} or the event loop of
 * {@link org.quorumail.gossip.transport.QuicTransport}; they call the {@code Receiver}, which must
 * not wait.
 *
 * <p>RFCs: HKDF (5869), replay windows as in 4303 §3.4.3, Zstandard (8878), gzip (1952), QUIC
 * (9000, 9221). AES-GCM: NIST SP 800-38D. The package knows nothing of messages inside a body, of
 * members, mail or Raft.
 */
@NullMarked
package org.quorumail.gossip.transport;

import org.jspecify.annotations.NullMarked;
