/**
 * The schedule over the spools that this node owns: when an attempt is made, and how its outcomes
 * are recorded. Start with {@link org.quorumail.queue.DeliveryQueue}, then {@link
 * org.quorumail.queue.DueScan} (finds due mail), {@link org.quorumail.queue.ActiveWindow} (the
 * bounded part of it that is in memory) {@link org.quorumail.queue.DeliveryTask} (one attempt) and
 * {@code FailureActions} (the effect of a failure's class). Threads: one dispatcher, one virtual
 * thread per attempt, and a short one per suspension that a rule demands; hints come from the
 * applying threads of the spools and are never waited for. RFC 5321 §4.5.4.1 (retrying), §6.1
 * (reporting). Must not know SMTP, DNS or how a spool is replicated.
 */
@NullMarked
package org.quorumail.queue;

import org.jspecify.annotations.NullMarked;
