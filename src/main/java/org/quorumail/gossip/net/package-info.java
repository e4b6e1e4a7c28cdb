/**
 * Gossip between real nodes: datagrams and streams, each sealed with a key that follows from the
 * cluster's secret. Start with {@link org.quorumail.gossip.net.Opener}, which decides what may come
 * in. Knows nothing of mail or of Raft.
 *
 * <p>Sealing: HKDF (RFC 5869), AES-GCM (NIST SP 800-38D), replay windows as in RFC 4303 §3.4.3.
 */
@NullMarked
package org.quorumail.gossip.net;

import org.jspecify.annotations.NullMarked;
