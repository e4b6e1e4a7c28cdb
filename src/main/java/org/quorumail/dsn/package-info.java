/** Composes delivery status notifications. */
@NullMarked
package org.quorumail.dsn;

import org.jspecify.annotations.NullMarked;
