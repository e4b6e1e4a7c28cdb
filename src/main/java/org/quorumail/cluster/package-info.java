/**
 * Who the nodes are and why they trust each other: membership, certificates derived from the
 * secret, formation, the meta group, placement of the spools. Start with {@link
 * org.quorumail.cluster.Membership} (who is there) and {@link org.quorumail.cluster.Formation}
 * (what was agreed). Threads: one acceptor, one per seed, one per connected member. Carries soft
 * state only; nothing that could lose or double mail hangs on it. Must not know mail.
 */
@NullMarked
package org.quorumail.cluster;

import org.jspecify.annotations.NullMarked;
