/** The schedule over the spools that this node owns. */
@NullMarked
package org.quorumail.queue;

import org.jspecify.annotations.NullMarked;
