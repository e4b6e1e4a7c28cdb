/**
 * Load generator, sink, kill-and-count harness and demo: black boxes that know only the outward
 * surface.
 */
@NullMarked
package org.quorumail.harness;

import org.jspecify.annotations.NullMarked;
