/** Sessions out. Blocking, used by the delivery's own thread. */
@NullMarked
package org.quorumail.smtp.client;

import org.jspecify.annotations.NullMarked;
