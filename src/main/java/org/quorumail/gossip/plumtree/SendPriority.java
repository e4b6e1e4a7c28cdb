package org.quorumail.gossip.plumtree;

/**
 * The class of an outgoing message, the most urgent first. A graft repairs a tree, so it never
 * waits behind payload. A prune only saves bytes, so it is the first to be dropped.
 */
public enum SendPriority {
  CRITICAL,
  HIGH,
  NORMAL,
  LOW
}
