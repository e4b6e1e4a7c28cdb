@NullMarked
package org.quorumail.gossip.transport;

import org.jspecify.annotations.NullMarked;
