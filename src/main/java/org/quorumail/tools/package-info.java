/**
 * The tools around the server: load generator, SMTP sink, DNS simulator, kill-and-count test, demo,
 * and the simulators of gossip with their tables and plots. Start reading with {@link
 * org.quorumail.tools.LoadGenerator}, {@link org.quorumail.tools.ChaosRun} or {@link
 * org.quorumail.tools.GossipExperiment}.
 *
 * <p>Load generator, sink, kill-and-count test and demo are black boxes. They know only a
 * configuration file, {@code quorumail serve -c FILE}, SMTP and HTTP, so that they prove what a
 * user would see and work with any SMTP server. They read and write SMTP (RFC 5321 §4) with their
 * own code: a fault shared with the server would hide itself.
 *
 * <p>Threads: one per sender (platform threads up to 256, else virtual), one virtual thread per
 * connection, datagram or request of the sink, its control and the DNS simulator, one that injects
 * faults, one per node that samples metrics.
 *
 * <p>The tools must not know the classes of the server; only {@code cli} uses them.
 */
@NullMarked
package org.quorumail.tools;

import org.jspecify.annotations.NullMarked;
