/**
 * Gossip as a library: runs both cores between real nodes. Start with {@link
 * org.quorumail.gossip.driver.Gossip}. One platform thread owns the cores. Knows nothing of mail or
 * Raft.
 */
@NullMarked
package org.quorumail.gossip.driver;

import org.jspecify.annotations.NullMarked;
