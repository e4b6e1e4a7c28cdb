/** Tests of the resolver against a real name server on loopback. */
@NullMarked
package org.quorumail.dns;

import org.jspecify.annotations.NullMarked;
