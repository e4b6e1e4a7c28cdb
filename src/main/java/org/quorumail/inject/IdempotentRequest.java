package org.quorumail.inject;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.api.InjectionView.InjectionRequest;
import org.quorumail.api.InjectionView.KnownMessage;
import org.quorumail.mail.QueueId;
import org.quorumail.smtp.server.InjectionResult;
import org.quorumail.spool.RequestKey;

/**
 * A request with an {@code Idempotency-Key}: what was accepted of it before, and the digest of its
 * body, which is there when the body was read to its end. Used by the threads of one request.
 */
final class IdempotentRequest {
  /** A request without a key. */
  static final IdempotentRequest NONE = new IdempotentRequest("", newDigest());

  private static final int KEY_MAX = 255;

  /** The headers that belong to a request beside its body. */
  private static final List<String> HEADERS =
      List.of("content-type", "x-envelope-from", "x-envelope-to");

  private final String request;
  private final MessageDigest digest;
  private Map<Integer, KnownMessage> known = Map.of();
  private @Nullable String body;
  private volatile boolean submitted;
  private volatile boolean inDoubt;

  private IdempotentRequest(String request, MessageDigest digest) {
    this.request = request;
    this.digest = digest;
  }

  /** Empty for a request without a key. A key is that of its client: others may have the same. */
  static Optional<IdempotentRequest> of(InjectionRequest request) {
    Optional<String> key = request.header("idempotency-key");
    if (key.isEmpty()) return Optional.empty();
    String text = key.get().strip();
    boolean printable = text.chars().allMatch(c -> c > ' ' && c < 0x7F);
    if (text.isEmpty() || text.length() > KEY_MAX || !printable) {
      throw InjectionProblem.of(
          400,
          "Idempotency-Key",
          "Idempotency-Key is not 1 to " + KEY_MAX + " printable characters of ASCII");
    }
    MessageDigest digest = newDigest();
    List<String> beside = new ArrayList<>();
    for (String name : HEADERS) beside.add(name + "=" + request.header(name).orElse(""));
    request.query().entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(e -> beside.add(e.getKey() + "=" + e.getValue()));
    digest.update(String.join("\n", beside).getBytes(StandardCharsets.UTF_8));
    MessageDigest name = newDigest();
    name.update((request.who() + "\n" + text).getBytes(StandardCharsets.UTF_8));
    return Optional.of(new IdempotentRequest(shortened(name), digest));
  }

  /** The digest of client and key. */
  String request() {
    return request;
  }

  /** Sets what was accepted before. */
  void known(Map<Integer, KnownMessage> messages) {
    known = messages;
  }

  /** The same request, whose body is digested as it is read. */
  InjectionRequest digesting(InjectionRequest original) {
    return new InjectionRequest(
        original.headers(),
        original.query(),
        new DigestedBody(original.body()),
        original.length(),
        original.who(),
        original.senders(),
        original.remote(),
        original.local(),
        original.tls());
  }

  boolean isKnown(int index) {
    return known.containsKey(index);
  }

  /** Whether a message without an answer may still be accepted. */
  boolean isInDoubt() {
    return inDoubt;
  }

  /** Called with the result of each message. */
  void ended(InjectionResult result) {
    if (submitted
        && result instanceof InjectionResult.Refused refused
        && refused.cause() == InjectionResult.Cause.UNAVAILABLE) {
      inDoubt = true; // threads of a batch only ever set it
    }
  }

  /**
   * The result of a message that was accepted before; the body must have been read.
   *
   * @throws InjectionProblem when the request had another body then
   */
  Optional<InjectionResult> accepted(int index) {
    if (known.isEmpty()) return Optional.empty();
    String now = body();
    if (known.values().stream().anyMatch(m -> !m.body().equals(now))) {
      throw InjectionProblem.of(
          422, "Idempotency-Key", "the Idempotency-Key was used for another request");
    }
    return Optional.ofNullable(known.get(index))
        .flatMap(m -> QueueId.parse(m.id()))
        .map(InjectionResult.Accepted::new);
  }

  /** The key of a message that is committed now. */
  Optional<RequestKey> key(int index) {
    if (request.isEmpty()) return Optional.empty();
    submitted = true;
    return Optional.of(new RequestKey(request, index, body()));
  }

  private synchronized String body() {
    String digested = body;
    if (digested == null) {
      digested = shortened(digest);
      body = digested;
    }
    return digested;
  }

  private static MessageDigest newDigest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  private static String shortened(MessageDigest digest) {
    return HexFormat.of().formatHex(digest.digest()).substring(0, RequestKey.LENGTH);
  }

  private final class DigestedBody extends FilterInputStream {
    DigestedBody(InputStream in) {
      super(in);
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      int n = in.read(bytes, offset, length);
      if (n > 0) digest.update(bytes, offset, n);
      return n;
    }
  }
}
