/** Membership, trust between nodes, meta group, placement. */
@NullMarked
package org.quorumail.cluster;

import org.jspecify.annotations.NullMarked;
