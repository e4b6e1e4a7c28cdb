/**
 * Load generator, sink, kill-and-count harness and demo. Start with {@link
 * org.quorumail.tools.LoadGenerator}, {@link org.quorumail.tools.ChaosRun} or {@link
 * org.quorumail.tools.Demo}. They are black boxes: they know the outward surface only (a
 * configuration file, {@code quorumail serve -c FILE}, SMTP, HTTP), so that they prove what a user
 * would see, and the load generator and the sink work with any SMTP server. They have their own
 * reading and writing of SMTP (RFC 5321 §4): a fault shared with the server would hide itself.
 *
 * <p>Threads: one per sender (of the platform while they are few, virtual otherwise), one virtual
 * thread per connection to the sink, one that kills, one that samples metrics.
 *
 * <p>Must not know the server's classes.
 */
@NullMarked
package org.quorumail.tools;

import org.jspecify.annotations.NullMarked;
