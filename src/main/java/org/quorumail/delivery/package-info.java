/**
 * From a destination to an answer per recipient: route, hosts, connection, transaction. Start with
 * {@link org.quorumail.delivery.DeliveryAgent}, then {@link
 * org.quorumail.delivery.DeliveryAttempt}, which is the story of one try. Each attempt runs on the
 * (virtual) thread of its caller; what is shared between attempts ({@link
 * org.quorumail.delivery.DestinationLimiter}, {@link org.quorumail.delivery.CircuitBreaker}) guards
 * itself. RFC 5321 §5 (finding hosts), §4.5.4.1 (sending strategy). Must not know when a message is
 * tried again, nor how a report looks.
 */
@NullMarked
package org.quorumail.delivery;

import org.jspecify.annotations.NullMarked;
