@NullMarked
package org.quorumail.gossip.driver;

import org.jspecify.annotations.NullMarked;
