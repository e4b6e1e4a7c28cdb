package org.quorumail.spool;

/**
 * A message as the store has it.
 *
 * @param chunks rows of {@code content} that hold its content, at least 1
 */
record StoredMessage(SpooledMessage message, int chunks) {}
