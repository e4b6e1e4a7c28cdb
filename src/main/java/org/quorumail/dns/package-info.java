/** Resolver with cache and overrides. */
@NullMarked
package org.quorumail.dns;

import org.jspecify.annotations.NullMarked;
