/**
 * Delivery on this machine: maildirs, mboxes and programs. Start with {@link
 * org.quorumail.delivery.local.LocalTarget}. All of it is blocking file work on platform threads;
 * one call delivers to one recipient. The account, the names and the moment of no return are
 * checked here; what an outcome means to the queue is not known.
 */
@NullMarked
package org.quorumail.delivery.local;

import org.jspecify.annotations.NullMarked;
