/** Tests of the scheduling of background tasks. */
@NullMarked
package org.quorumail.upkeep;

import org.jspecify.annotations.NullMarked;
