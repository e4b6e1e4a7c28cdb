package org.quorumail.spool;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.QueueId;

/**
 * The bytes of a message as they are sent: its prefix, then its content, one chunk in memory at a
 * time. Used by one thread.
 */
final class ContentStream extends InputStream {
  private final SpoolStore store;
  private final QueueId id;
  private byte[] chunk = {};
  private int position;
  private int next;
  private int chunks = -1;

  ContentStream(SpoolStore store, QueueId id) {
    this.store = store;
    this.id = id;
  }

  @Override
  public int read() throws IOException {
    return fillChunk() ? chunk[position++] & 0xFF : -1;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, target.length);
    if (length == 0) return 0;
    if (!fillChunk()) return -1;
    int n = Math.min(length, chunk.length - position);
    System.arraycopy(chunk, position, target, offset, n);
    position += n;
    return n;
  }

  @Override
  public int available() {
    return chunk.length - position;
  }

  /** Fetches the next chunk when this one is read; false at the end. */
  private boolean fillChunk() throws IOException {
    try {
      if (chunks < 0) {
        StoredMessage stored = store.message(id).orElseThrow(this::messageGone);
        chunks = stored.chunks();
        chunk = stored.prefix().copy();
      }
      while (position == chunk.length) {
        if (next == chunks) return false;
        byte @Nullable [] row = store.chunk(id, next);
        if (row == null) throw messageGone();
        next++;
        chunk = row;
        position = 0;
      }
      return true;
    } catch (UncheckedIOException | IllegalStateException e) {
      throw new IOException("the content of " + id + " cannot be read: " + e.getMessage(), e);
    }
  }

  private IOException messageGone() {
    return new IOException("message " + id + " is not in the spool any more");
  }
}
