/**
 * The registry of metrics (Micrometer) with its Prometheus export, and the form of the log. Start
 * with {@link org.quorumail.metrics.Metrics} and {@link org.quorumail.metrics.Logging}.
 *
 * <p>The parts of a node take the registry in their constructors and name their meters themselves:
 * {@code smtp.…}, {@code delivery.…}, {@code dns.…}, {@code spool.…}, {@code smtp.cluster.…}, in
 * seconds and bytes, with labels from bounded sets. No threads. Must not know the parts that count.
 */
@NullMarked
package org.quorumail.metrics;

import org.jspecify.annotations.NullMarked;
