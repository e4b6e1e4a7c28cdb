/**
 * The way of a message from its destination to an outcome per recipient: route, hosts, connection,
 * transaction. Start with {@link org.quorumail.delivery.DeliveryAgent}, then {@link
 * org.quorumail.delivery.DeliveryAttempt}, which is one try from begin to end. An attempt returns
 * its outcomes to its caller step by step and runs on the caller's (virtual) thread; local
 * deliveries run on a platform thread. The parts that attempts share ({@link
 * org.quorumail.delivery.DestinationLimiter}, {@link org.quorumail.delivery.CircuitBreakers},
 * {@code DialBudget}) are thread-safe. RFC 5321 §5 (finding hosts), §4.5.4.1 (sending strategy),
 * RFC 6724, RFC 8305 (order of addresses). Must not know when a message is tried again, nor how a
 * report looks.
 */
@NullMarked
package org.quorumail.delivery;

import org.jspecify.annotations.NullMarked;
