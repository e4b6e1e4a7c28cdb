package org.quorumail.queue;

/** The result of the order to bounce a message. */
public enum BounceResult {
  DONE,
  /** This node owns no spool with the message. */
  NOT_OWNED,
  /** An attempt for all recipients that wait is running. */
  IN_PROGRESS,
  /** The record was refused: another node may own the spool. */
  NOT_RECORDED
}
