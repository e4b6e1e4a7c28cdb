@NullMarked
package org.quorumail.gossip.net;

import org.jspecify.annotations.NullMarked;
