/** Commands; a client of the API over the control socket. */
@NullMarked
package org.quorumail.cli;

import org.jspecify.annotations.NullMarked;
