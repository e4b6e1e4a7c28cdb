package org.quorumail.smtp.server;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.QueueId;
import org.quorumail.spool.AcceptedRequest;
import org.quorumail.spool.Intake;
import org.quorumail.spool.RequestKey;

/** Keeps what was committed in memory; readiness and failures are set by the test. */
public final class FakeIntake implements Intake {
  private final List<Accepted> accepted = new CopyOnWriteArrayList<>();
  private final AtomicInteger open = new AtomicInteger();
  private volatile Readiness readiness = Readiness.READY;
  private volatile Readiness atCommit = Readiness.READY;
  private volatile boolean writesFail;
  private volatile boolean forgetful;
  private final Map<RequestKey, AcceptedRequest> requests = new ConcurrentHashMap<>();

  public record Accepted(
      QueueId id, Envelope envelope, Optional<String> hold, byte[] prefix, byte[] content) {
    /** The message as it will be sent: prefix and content. */
    public String text() {
      return new String(prefix, StandardCharsets.ISO_8859_1) + withoutTrace();
    }

    /** The content alone; the Received field is in the prefix. */
    public String withoutTrace() {
      return new String(content, StandardCharsets.ISO_8859_1);
    }
  }

  public List<Accepted> accepted() {
    return accepted;
  }

  /** Receptions that were begun and are not closed. */
  int open() {
    return open.get();
  }

  public void readiness(Readiness now) {
    readiness = now;
  }

  public void atCommit(Readiness answer) {
    atCommit = answer;
  }

  void failWrites() {
    writesFail = true;
  }

  /** Accepts without keeping anything, for load. */
  void forgetContent() {
    forgetful = true;
  }

  @Override
  public RequestLookup requests(String request) {
    List<AcceptedRequest> known =
        requests.entrySet().stream()
            .filter(e -> e.getKey().request().equals(request))
            .map(Map.Entry::getValue)
            .toList();
    return new RequestLookup(List.of("spool"), known, !requests.isEmpty());
  }

  @Override
  public Readiness readiness() {
    return readiness;
  }

  @Override
  public MessageWriter newMessage() {
    open.incrementAndGet();
    return new FakeReception();
  }

  private final class FakeReception implements MessageWriter {
    private final QueueId id = QueueId.generate(Instant.now());
    private final ByteArrayOutputStream content = new ByteArrayOutputStream();
    private @Nullable RequestKey key;

    @Override
    public QueueId id() {
      return id;
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      if (writesFail) throw new IOException("no quorum for a chunk");
      content.write(bytes, offset, length);
    }

    @Override
    public void onlyOnce(RequestKey request) {
      key = request;
    }

    @Override
    public CommitResult commit(Envelope envelope, byte[] prefix, Optional<String> hold) {
      if (atCommit != Readiness.READY) return new CommitResult.Refused(atCommit);
      RequestKey request = key;
      if (request != null) {
        long now = System.currentTimeMillis();
        var row = new AcceptedRequest(request.index(), id, request.body(), now);
        if (requests.putIfAbsent(request, row) != null) return new CommitResult.AcceptedBefore();
      }
      if (!forgetful) accepted.add(new Accepted(id, envelope, hold, prefix, content.toByteArray()));
      return new CommitResult.Accepted(id);
    }

    @Override
    public void close() {
      open.decrementAndGet();
    }
  }
}
