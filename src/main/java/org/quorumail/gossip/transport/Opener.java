package org.quorumail.gossip.transport;

import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.time.Clock;
import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import org.quorumail.gossip.transport.FrameFormat.Header;

/**
 * The opener of received frames. A frame opens only if a holder of the secret sealed it for this
 * cluster and this node, and if it was not received before. Only such a frame makes this node
 * remember anything.
 *
 * <p>Replays: each sender's session has a {@link ReplayWindow}, kept at least as long as a first
 * frame of that session is accepted ({@link #MAX_CLOCK_DIFFERENCE}). One case remains: a frame
 * recorded at most five minutes before this node's start can be replayed once after the start. The
 * protocol above recognises it as an old message by its incarnation.
 *
 * <p>Thread-safe; a frame costs some microseconds.
 */
public final class Opener {
  /** The largest difference between two nodes' clocks at first contact. */
  public static final Duration MAX_CLOCK_DIFFERENCE = Duration.ofMinutes(5);

  /** A cluster of 10,000 with some restarts; 16,384 × about 0.5 KiB is 8 MiB at the most. */
  static final int MAX_SENDERS = 16_384;

  private final Cipher cipher = FrameFormat.cipher();
  private final Clock clock;
  private final int self;
  private final int maxSenders;
  private KeyRing ring;

  /** The sender of the oldest valid frame first; a frame with a broken seal does not count. */
  private final LinkedHashMap<SessionId, SenderSession> senders = new LinkedHashMap<>();

  public Opener(KeyRing ring, String nodeId, Clock clock) {
    this(ring, nodeId, clock, MAX_SENDERS);
  }

  Opener(KeyRing ring, String nodeId, Clock clock, int maxSenders) {
    this.ring = ring;
    this.self = FrameFormat.receiverTag(nodeId);
    this.clock = clock;
    this.maxSenders = maxSenders;
  }

  /** The result of opening a frame. */
  public sealed interface OpenResult {
    /** The payload of an authentic frame, and the key that sealed it. */
    record Payload(byte[] bytes, KeyRing.Key key) implements OpenResult {}

    record Dropped(DropReason reason) implements OpenResult {}
  }

  private record SessionId(short keyId, ByteBuffer session) {}

  private static final class SenderSession {
    private final KeyRing.Key root;
    private final SecretKey key;
    private final ReplayWindow window = new ReplayWindow();
    private long lastFrameMillis;

    SenderSession(KeyRing.Key root, byte[] session) {
      this.root = root;
      this.key = root.derive(session);
    }
  }

  /** Opens with the keys of this ring from now on; forgets the senders of other keys. */
  public synchronized void replaceKeys(KeyRing changed) {
    ring = changed;
    senders
        .values()
        .removeIf(s -> changed.keysWithId(s.root.id()).stream().noneMatch(s.root::isSame));
  }

  synchronized int senderCount() {
    return senders.size();
  }

  /**
   * Opens a frame.
   *
   * @param kind the expected kind; other kinds are dropped
   * @param frame from its position to its limit
   */
  public synchronized OpenResult open(byte kind, ByteBuffer frame) {
    if (frame.remaining() < FrameFormat.OVERHEAD) return dropped(DropReason.TOO_SHORT);
    ByteBuffer headerBytes = frame.slice(frame.position(), FrameFormat.HEADER_BYTES);
    Header header = Header.read(frame);
    if (header.kind() != kind) return dropped(DropReason.VERSION);
    if (header.clusterTag() != ring.clusterTag()) return dropped(DropReason.OTHER_CLUSTER);
    if (header.receiver() != 0 && header.receiver() != self) return dropped(DropReason.OTHER_NODE);
    List<KeyRing.Key> keys = ring.keysWithId(header.keyId());
    if (keys.isEmpty()) return dropped(DropReason.UNKNOWN_KEY);
    SessionId id = new SessionId(header.keyId(), ByteBuffer.wrap(header.session()));
    SenderSession known = senders.get(id);
    if (known != null && !known.window.isNew(header.counter())) {
      return dropped(DropReason.REPLAYED);
    }
    if (known == null && !isFresh(header.seconds())) return dropped(DropReason.STALE);
    List<SenderSession> candidates =
        known != null
            ? List.of(known)
            : keys.stream().map(key -> new SenderSession(key, header.session())).toList();
    for (SenderSession sender : candidates) {
      Optional<byte[]> payload = unseal(sender, header, headerBytes, frame);
      if (payload.isEmpty()) continue;
      if (known == null && !makeRoom()) return dropped(DropReason.SENDERS_FULL);
      senders.putLast(id, sender);
      if (senders.size() > maxSenders) throw new IllegalStateException("too many senders");
      sender.window.mark(header.counter());
      sender.lastFrameMillis = clock.millis();
      return new OpenResult.Payload(payload.get(), sender.root);
    }
    return dropped(DropReason.FORGED);
  }

  private Optional<byte[]> unseal(
      SenderSession sender, Header header, ByteBuffer headerBytes, ByteBuffer sealed) {
    byte[] payload = new byte[sealed.remaining() - FrameFormat.SEAL_BYTES];
    try {
      FrameFormat.crypt(
          cipher,
          Cipher.DECRYPT_MODE,
          sender.key,
          header.counter(),
          headerBytes.duplicate(),
          ring.clusterName(),
          sealed.duplicate(),
          ByteBuffer.wrap(payload));
      return Optional.of(payload);
    } catch (GeneralSecurityException e) {
      return Optional.empty();
    }
  }

  private boolean isFresh(long seconds) {
    return Math.abs(clock.millis() / 1000 - seconds) <= MAX_CLOCK_DIFFERENCE.toSeconds();
  }

  /**
   * Forgets the oldest sender, if its last frame is too old to be accepted as a first one; so
   * forgetting it permits no replay.
   */
  private boolean makeRoom() {
    if (senders.size() >= maxSenders) {
      long idleSince = clock.millis() - MAX_CLOCK_DIFFERENCE.multipliedBy(2).toMillis();
      Iterator<SenderSession> oldest = senders.values().iterator();
      if (oldest.next().lastFrameMillis > idleSince) return false;
      oldest.remove();
    }
    return true;
  }

  private static OpenResult dropped(DropReason reason) {
    return new OpenResult.Dropped(reason);
  }
}
