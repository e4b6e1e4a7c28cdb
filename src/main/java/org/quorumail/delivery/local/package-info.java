/**
 * Delivery on this machine: maildirs, mboxes and programs. Start with {@link
 * org.quorumail.delivery.local.LocalTarget}. All of it is blocking work on files and programs, on
 * platform threads; one call delivers to one recipient. The account, the names and the lease before
 * the step that cannot be undone are checked here; what an outcome means to the queue is not known.
 */
@NullMarked
package org.quorumail.delivery.local;

import org.jspecify.annotations.NullMarked;
