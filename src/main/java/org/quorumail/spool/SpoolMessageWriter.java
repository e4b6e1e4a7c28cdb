package org.quorumail.spool;

import static org.quorumail.spool.SpoolEntryFormat.CHUNK_HEADER;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.QueueId;
import org.quorumail.replication.ReplicatedLog;
import org.quorumail.spool.SpoolEntry.ByteSlice;
import org.quorumail.spool.SpoolEntry.ContentLocation;
import org.quorumail.spool.SpoolEntry.NewMessage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One message on its way in. What fits into a chunk stays here until the commit; of a larger one
 * each full chunk goes to the quorum while the next one arrives, all into the same spool.
 *
 * <p>The buffer has the shape of a chunk's entry, so that a full one is sent without being copied.
 */
final class SpoolMessageWriter implements Intake.MessageWriter {
  private static final Logger LOG = LoggerFactory.getLogger(SpoolMessageWriter.class);

  /** Most mail is smaller; the buffer doubles. */
  private static final int FIRST_BUFFER = 8 * 1024;

  /** Also bounds what one session has in memory, together with the buffer that is being filled. */
  private static final int CHUNKS_IN_FLIGHT = 2;

  /** For the heads of the entries that it is part of. */
  private static final int ENTRY_OVERHEAD = 256;

  private final Spools spools;
  private final QueueId id;
  private final ArrayDeque<CompletableFuture<ApplyResult>> chunksInFlight = new ArrayDeque<>();
  private byte[] buffer = new byte[FIRST_BUFFER];
  private int end = CHUNK_HEADER;
  private long size;
  private int chunks;
  private @Nullable Spool spool;
  private @Nullable IOException failure;
  private boolean committed;

  SpoolMessageWriter(Spools spools, QueueId id) {
    this.spools = spools;
    this.id = id;
  }

  @Override
  public QueueId id() {
    return id;
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    if (failure != null) throw failure;
    int from = offset;
    int left = length;
    while (left > 0) {
      if (end == CHUNK_HEADER + Spools.CHUNK_BYTES) sendFullChunk();
      int n = Math.min(left, reserveRoom(left));
      System.arraycopy(bytes, from, buffer, end, n);
      end += n;
      from += n;
      left -= n;
      size += n;
    }
  }

  @Override
  public Intake.CommitResult commit(Envelope envelope, byte[] prefix, Optional<String> holdReason) {
    if (prefix.length > PREFIX_BYTES_MAX) {
      throw new IllegalArgumentException("a prefix of " + prefix.length + " bytes is too long");
    }
    if (spools.isDiskFull()) return refused(Intake.Readiness.DISK_FULL);
    if (failure != null) return refused(Intake.Readiness.NO_QUORUM);
    try {
      CommitDeadline patience = new CommitDeadline(target().log());
      if (chunks > 0) {
        sendChunk(patience);
        while (!chunksInFlight.isEmpty()) awaitOldest(patience);
      }
      SpooledMessage spooled = spools.message(id, envelope, prefix.length + size, holdReason);
      NewMessage message = new NewMessage(spooled, ByteSlice.of(prefix), contentLocation());
      if (isTooLong(message) && chunks == 0) { // so many recipients: the content goes ahead
        sendChunk(patience);
        while (!chunksInFlight.isEmpty()) awaitOldest(patience);
        message = new NewMessage(spooled, ByteSlice.of(prefix), contentLocation());
      }
      if (isTooLong(message)) throw new IOException("the envelope is too long for the log");
      committed = target().commit(message, patience);
      return committed ? new Intake.CommitResult.Accepted(id) : refused(Intake.Readiness.NO_QUORUM);
    } catch (IOException e) {
      LOG.warn("event=not_accepted queue_id={} reason=\"{}\"", id, e.getMessage());
      return refused(spools.isDiskFull() ? Intake.Readiness.DISK_FULL : Intake.Readiness.NO_QUORUM);
    }
  }

  /**
   * Has the chunks thrown away if the message was not accepted. Should an unanswered {@code Accept}
   * be committed after all, then before this entry, which finds no upload any more; or after it,
   * and is refused.
   */
  @Override
  public void close() {
    buffer = new byte[0];
    Spool target = spool;
    if (committed || chunks == 0 || target == null) return;
    var ignored =
        target
            .append(new SpoolEntry.AbortUpload(id), CommitDeadline.WITHOUT_QUORUM)
            .exceptionally(
                e -> {
                  LOG.info(
                      "event=upload_left queue_id={} spool={} reason=\"the owner will remove it\"",
                      id,
                      target.name());
                  return ApplyResult.UNKNOWN;
                });
  }

  private static boolean isTooLong(NewMessage message) {
    return SpoolEntryFormat.sizeBound(message) > ReplicatedLog.ENTRY_BYTES_MAX - ENTRY_OVERHEAD;
  }

  private ContentLocation contentLocation() {
    if (chunks > 0) return new ContentLocation.Uploaded(chunks);
    return new ContentLocation.Inline(
        new SpoolEntry.ByteSlice(buffer, CHUNK_HEADER, end - CHUNK_HEADER));
  }

  private static Intake.CommitResult refused(Intake.Readiness reason) {
    return new Intake.CommitResult.Refused(reason);
  }

  private int reserveRoom(int wanted) {
    int max = CHUNK_HEADER + Spools.CHUNK_BYTES;
    if (buffer.length - end < wanted && buffer.length < max) {
      int grown = Math.max(end + wanted, buffer.length * 2);
      buffer = Arrays.copyOf(buffer, Math.min(max, grown));
    }
    return buffer.length - end;
  }

  private void sendFullChunk() throws IOException {
    try {
      if (spools.isDiskFull()) throw new IOException("the disk is full");
      sendChunk(new CommitDeadline(target().log()));
      buffer = new byte[CHUNK_HEADER + Spools.CHUNK_BYTES];
    } catch (IOException e) {
      failure = e;
      throw e;
    }
  }

  /** Hands the buffer's bytes to the log; the buffer must not be written to any more. */
  private void sendChunk(CommitDeadline patience) throws IOException {
    int length = end - CHUNK_HEADER;
    if (length == 0) return;
    while (chunksInFlight.size() >= CHUNKS_IN_FLIGHT) awaitOldest(patience);
    Spool target = target();
    reserve(length, patience);
    CompletableFuture<ApplyResult> answer =
        target.append(chunkEntry(), CommitDeadline.entryTimeout(target.log()));
    chunksInFlight.add(answer);
    var ignored = answer.whenComplete((a, e) -> spools.chunkBytes.release(length));
    chunks++;
    end = CHUNK_HEADER;
  }

  /**
   * The same bytes as {@link SpoolEntryFormat} writes, around the content that is in place already.
   */
  private byte[] chunkEntry() {
    int length = end - CHUNK_HEADER;
    var head =
        new SpoolEntry.Chunk(
            id, chunks, spools.nowMillis(), new SpoolEntry.ByteSlice(buffer, 0, 0));
    byte[] header = SpoolEntryFormat.write(head);
    System.arraycopy(header, 0, buffer, 0, CHUNK_HEADER);
    ByteBuffer.wrap(buffer).putInt(CHUNK_HEADER - 4, length);
    return end == buffer.length ? buffer : Arrays.copyOf(buffer, end);
  }

  private void reserve(int bytes, CommitDeadline patience) throws IOException {
    try {
      if (patience.acquire(spools.chunkBytes, bytes)) return;
      throw new IOException("too many bytes wait for a quorum");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("the node is stopping", e);
    }
  }

  private void awaitOldest(CommitDeadline patience) throws IOException {
    Spool target = target();
    try {
      ApplyResult answer = patience.await(chunksInFlight.element());
      chunksInFlight.remove();
      if (answer != ApplyResult.DONE) throw new IOException("the upload was aborted");
    } catch (ExecutionException | TimeoutException e) {
      target.commitAnswered(false);
      throw new IOException("a chunk reached no quorum of " + target.name() + ": " + reason(e), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("the node is stopping", e);
    }
  }

  private static String reason(Exception e) {
    Throwable cause = e.getCause();
    if (cause != null) return String.valueOf(cause.getMessage());
    return e instanceof TimeoutException ? "no answer in time" : String.valueOf(e.getMessage());
  }

  /** The first use decides; all of a message goes into one spool. */
  private Spool target() throws IOException {
    Spool chosen = spool;
    if (chosen == null) {
      Optional<Spool> target = spools.target();
      if (target.isEmpty()) throw new IOException("no spool has a quorum");
      chosen = target.get();
      spool = chosen;
    }
    return chosen;
  }
}
