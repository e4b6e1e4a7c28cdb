/** Sessions in. One virtual thread per session. */
@NullMarked
package org.quorumail.smtp.server;

import org.jspecify.annotations.NullMarked;
