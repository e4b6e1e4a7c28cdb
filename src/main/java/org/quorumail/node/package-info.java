/**
 * The assembly of one node: its data directory, live configuration, Raft groups, cluster
 * membership, signals and the rebalancer. Start with {@link org.quorumail.node.RaftGroups} and
 * {@link org.quorumail.node.LiveConfig}. Knows every part below it; no part knows it.
 */
@NullMarked
package org.quorumail.node;

import org.jspecify.annotations.NullMarked;
