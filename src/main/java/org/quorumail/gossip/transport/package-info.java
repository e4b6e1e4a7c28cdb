/**
 * Gossip between real nodes: datagrams and streams, each sealed with a key that follows from the
 * secret of the cluster, or QUIC. Start with {@link org.quorumail.gossip.transport.Opener}, which
 * decides what may come in. Sealing: HKDF (RFC 5869), AES-GCM (NIST SP 800-38D), replay windows as
 * in RFC 4303 §3.4.3; QUIC: RFC 9000, RFC 9221. Knows nothing of mail or Raft.
 */
@NullMarked
package org.quorumail.gossip.transport;

import org.jspecify.annotations.NullMarked;
