@NullMarked
package org.quorumail.gossip.discovery;

import org.jspecify.annotations.NullMarked;
