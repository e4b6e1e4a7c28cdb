/**
 * The nodes of the cluster and their trust in each other: membership, certificates derived from the
 * secret, formation, the meta group, placement of the spools. Start with {@link
 * org.quorumail.cluster.Membership} (the other nodes) and {@link org.quorumail.cluster.Formation}
 * (the agreed members). Also the records and readers of {@code [cluster]}.
 *
 * <p>Threads: gossip's; one virtual thread for this node's metadata; without a secret one acceptor
 * and one thread per seed and connection. RFCs: 5869 (HKDF), 5280 (certificates). Carries soft
 * state only: nothing that could lose or double mail depends on it. Must not know mail.
 */
@NullMarked
package org.quorumail.cluster;

import org.jspecify.annotations.NullMarked;
