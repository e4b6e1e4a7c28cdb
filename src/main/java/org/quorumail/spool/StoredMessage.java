package org.quorumail.spool;

/**
 * A message with its place in the store.
 *
 * @param prefix the header fields that the accepting host prepended; sent before the content. Empty
 *     for a message of format version 1 or 2, whose content begins with them, and for a DSN
 * @param chunks rows of {@code content} that hold its content, at least 1
 */
record StoredMessage(SpooledMessage message, SpoolEntry.ByteSlice prefix, int chunks) {
  StoredMessage with(SpooledMessage changed) {
    return new StoredMessage(changed, prefix, chunks);
  }
}
