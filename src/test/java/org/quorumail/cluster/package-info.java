/** Tests of the cluster's membership, trust and formation. */
@NullMarked
package org.quorumail.cluster;

import org.jspecify.annotations.NullMarked;
