/**
 * The entry point and the composition root: {@link org.quorumail.Main} starts the command line, and
 * {@link org.quorumail.Node} wires one node. All parts are wired here, and they know nothing of it.
 */
@NullMarked
package org.quorumail;

import org.jspecify.annotations.NullMarked;
