package org.quorumail.gossip.plumtree;

/**
 * Classes of outgoing messages, most urgent first. A graft repairs a tree, so it never waits behind
 * payload; a prune only saves bytes, so it is the first to be dropped.
 */
public enum SendPriority {
  CRITICAL,
  HIGH,
  NORMAL,
  LOW
}
