package org.quorumail.queue;

import org.quorumail.delivery.Destination;
import org.quorumail.mail.QueueId;
import org.quorumail.spool.OwnedSpool;

/**
 * The right to deliver a message to those of its recipients who share a destination. At any time
 * there is one for each such pair. The spool is part of it by identity: a new term is a new owner.
 */
record DeliveryClaim(OwnedSpool spool, QueueId id, Destination destination) {}
