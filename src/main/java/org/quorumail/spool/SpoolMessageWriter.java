package org.quorumail.spool;

import static org.quorumail.spool.SpoolEntryFormat.CHUNK_HEADER;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;
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
 * A message on its way in. A content that fits into one chunk stays here until the commit. Of a
 * larger content each full chunk goes to the quorum while the next one arrives, all into the same
 * spool.
 *
 * <p>Chunks are applied in their order only, but an append that is forwarded or sent again can be
 * overtaken by the next one, which is then refused. A refused chunk is appended once more when all
 * before it are applied: then nothing can overtake it. A second refusal means that the upload was
 * aborted.
 *
 * <p>The buffer has the shape of a chunk's entry, so that a full one is sent without a copy.
 */
final class SpoolMessageWriter implements Intake.MessageWriter {
  private static final Logger LOG = LoggerFactory.getLogger(SpoolMessageWriter.class);

  /** Most mail is smaller; the buffer doubles. */
  private static final int FIRST_BUFFER = 8 * 1024;

  /** The most unanswered chunks; together with the buffer they bound the memory of one session. */
  private static final int CHUNKS_IN_FLIGHT = 2;

  private static final byte[] NO_BYTES = {};

  /** The bytes of the entries around a message. */
  private static final int ENTRY_OVERHEAD = 256;

  private final Spools spools;
  private final QueueId id;
  private final ArrayDeque<ChunkInFlight> chunksInFlight = new ArrayDeque<>();
  private byte[] buffer = new byte[FIRST_BUFFER];
  private int end = CHUNK_HEADER;
  private long size;
  private int chunks;
  private @Nullable Spool spool;
  private @Nullable IOException failure;
  private boolean committed;
  private @Nullable RequestKey key;
  private Arrival arrival = Arrival.UNKNOWN;

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
  public void onlyOnce(RequestKey request) {
    key = request;
  }

  @Override
  public void arrival(Arrival way) {
    arrival = way;
  }

  @Override
  public Intake.CommitResult commit(Envelope envelope, byte[] prefix, Optional<String> holdReason) {
    if (prefix.length > PREFIX_BYTES_MAX) {
      throw new IllegalArgumentException("a prefix of " + prefix.length + " bytes is too long");
    }
    if (spools.isDiskFull()) return refused(Intake.Readiness.DISK_FULL);
    if (failure != null) return refused(Intake.Readiness.NO_QUORUM);
    try {
      CommitDeadline deadline = new CommitDeadline(target().log());
      if (chunks > 0) {
        sendChunk(deadline);
        while (!chunksInFlight.isEmpty()) awaitOldest(deadline);
      }
      SpooledMessage spooled = spools.message(id, envelope, prefix.length + size, holdReason);
      Arrival recorded = target().recordsEvents() ? arrival : null;
      NewMessage message =
          new NewMessage(spooled, ByteSlice.of(prefix), contentLocation(), recorded);
      if (isTooLong(message) && chunks == 0) { // so many recipients: the content goes ahead
        sendChunk(deadline);
        while (!chunksInFlight.isEmpty()) awaitOldest(deadline);
        message = new NewMessage(spooled, ByteSlice.of(prefix), contentLocation(), recorded);
      }
      if (isTooLong(message)) throw new IOException("the envelope is too long for the log");
      ApplyResult result = target().commit(entry(message), spooled.size(), deadline);
      committed = result == ApplyResult.DONE;
      if (committed) return new Intake.CommitResult.Accepted(id);
      return result == ApplyResult.ACCEPTED_BEFORE
          ? new Intake.CommitResult.AcceptedBefore()
          : refused(Intake.Readiness.NO_QUORUM);
    } catch (IOException e) {
      LOG.warn("event=not_accepted queue_id={} reason=\"{}\"", id, e.getMessage());
      return refused(spools.isDiskFull() ? Intake.Readiness.DISK_FULL : Intake.Readiness.NO_QUORUM);
    }
  }

  /**
   * Aborts the upload if the message was not accepted. An unanswered {@code Accept} may still be
   * committed. If that happens before this entry, there is no upload any more; if after it, the
   * {@code Accept} is refused.
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

  private SpoolEntry entry(NewMessage message) {
    return key == null
        ? new SpoolEntry.Accept(List.of(message))
        : new SpoolEntry.AcceptOnce(key, message);
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

  /** Appends the buffer's bytes; the buffer must not be written to any more. */
  private void sendChunk(CommitDeadline deadline) throws IOException {
    int length = end - CHUNK_HEADER;
    if (length == 0) return;
    while (chunksInFlight.size() >= CHUNKS_IN_FLIGHT) awaitOldest(deadline);
    Spool target = target();
    ChunkInFlight chunk = new ChunkInFlight(chunkEntry());
    chunk.append(target, deadline);
    chunksInFlight.add(chunk);
    chunks++;
    end = CHUNK_HEADER;
  }

  /**
   * Returns the bytes that {@link SpoolEntryFormat} writes, around the content that is in place
   * already.
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

  private void reserve(int bytes, CommitDeadline deadline) throws IOException {
    try {
      if (deadline.acquire(spools.chunkBytes, bytes)) return;
      throw new IOException("too many bytes wait for a quorum");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("the node is stopping", e);
    }
  }

  private void awaitOldest(CommitDeadline deadline) throws IOException {
    Spool target = target();
    ChunkInFlight oldest = chunksInFlight.element();
    try {
      ApplyResult answer = deadline.await(oldest.answer);
      if (answer == ApplyResult.REFUSED) {
        LOG.debug("event=chunk_overtaken queue_id={} spool={}", id, target.name());
        oldest.append(target, deadline);
        answer = deadline.await(oldest.answer);
      }
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

  /** A chunk that is not known to be applied. Its bytes stay until it is. */
  private final class ChunkInFlight {
    private volatile byte[] entry;
    private CompletableFuture<ApplyResult> answer = new CompletableFuture<>();

    ChunkInFlight(byte[] entry) {
      this.entry = entry;
    }

    void append(Spool target, CommitDeadline deadline) throws IOException {
      int length = entry.length;
      reserve(length, deadline);
      answer = target.append(entry, CommitDeadline.entryTimeout(target.log()));
      var ignored =
          answer.whenComplete(
              (result, failure) -> {
                spools.chunkBytes.release(length);
                if (result != ApplyResult.REFUSED) entry = NO_BYTES;
              });
    }
  }

  private static String reason(Exception e) {
    Throwable cause = e.getCause();
    if (cause != null) return String.valueOf(cause.getMessage());
    return e instanceof TimeoutException ? "no answer in time" : String.valueOf(e.getMessage());
  }

  /** Returns the spool of the message; the first call chooses it. */
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
