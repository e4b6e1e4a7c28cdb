/**
 * The reports of a running node about its queue, messages, cluster, DNS and health: implementations
 * of the views that {@code api} declares. Start with {@link org.quorumail.admin.HealthCheck} or
 * {@link org.quorumail.admin.QueueReport}. All of them read {@link org.quorumail.node.NodeState},
 * which says whether the cluster is formed.
 *
 * <p>Threads: those of the callers, and short virtual ones for calls to other nodes; all types are
 * thread-safe. Must not know HTTP or the composition root.
 */
@NullMarked
package org.quorumail.admin;

import org.jspecify.annotations.NullMarked;
