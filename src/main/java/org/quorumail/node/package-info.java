/**
 * The assembly of one node: its data directory, live configuration, Raft groups, cluster
 * membership, signals and the rebalancer; also the whole configuration, which only assembly,
 * reports and the command line see. Start with {@link org.quorumail.node.RaftGroups}, {@link
 * org.quorumail.node.LiveConfig} and {@link org.quorumail.node.Config}.
 *
 * <p>Threads: one puts configurations of the cluster into force ({@code ReplicatedConfigFollower});
 * short virtual ones run queue runs (RFC 1985) and drain listeners. The root schedules the monitor,
 * the certificate watcher and the rebalancer. Knows every part below it; no part knows it, and it
 * knows neither the reports in {@code admin} nor the root.
 */
@NullMarked
package org.quorumail.node;

import org.jspecify.annotations.NullMarked;
