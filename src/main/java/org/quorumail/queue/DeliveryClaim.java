package org.quorumail.queue;

import org.quorumail.delivery.Destination;
import org.quorumail.mail.QueueId;
import org.quorumail.spool.OwnedSpool;

/**
 * The right to deliver a message to those of its recipients who share a destination. At any time
 * each such pair has one claim. The claim holds the spool by identity: a new term is a new owner.
 */
record DeliveryClaim(OwnedSpool spool, QueueId id, Destination destination) {}
