package org.quorumail.gossip.net;

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
import org.quorumail.gossip.net.FrameFormat.Header;

/**
 * Opens what arrives, or says why not. Only a frame that a holder of the secret sealed for this
 * cluster and for this node, and that was not here before, comes through; only such a frame makes
 * this node remember anything.
 *
 * <p>Replays: each sender's session has a {@link ReplayWindow}, kept at least as long as a first
 * frame of that session would be believed ({@link #FRESH}). What remains: a frame recorded at most
 * five minutes before this node's start can be played to it once more after the start; the protocol
 * above takes that for an old message, by its incarnation.
 *
 * <p>Thread-safe; a frame costs some microseconds.
 */
final class Opener {
  /** How far the clocks of two nodes may be apart at first contact. */
  static final Duration FRESH = Duration.ofMinutes(5);

  /** A cluster of 10,000 with some restarts; 16,384 × about 0.5 KiB is 8 MiB at the most. */
  static final int MAX_SENDERS = 16_384;

  private final Cipher cipher = FrameFormat.cipher();
  private final Clock clock;
  private final int self;
  private final int maxSenders;
  private KeyRing ring;

  /** Least recently heard first; a frame whose seal is broken was not heard. */
  private final LinkedHashMap<SessionId, Sender> senders = new LinkedHashMap<>();

  Opener(KeyRing ring, String nodeId, Clock clock) {
    this(ring, nodeId, clock, MAX_SENDERS);
  }

  Opener(KeyRing ring, String nodeId, Clock clock, int maxSenders) {
    this.ring = ring;
    this.self = FrameFormat.receiver(nodeId);
    this.clock = clock;
    this.maxSenders = maxSenders;
  }

  /** What came of a frame. */
  sealed interface Opened {
    /** The payload of a frame that may be believed, and the key that had sealed it. */
    record Payload(byte[] bytes, KeyRing.Key key) implements Opened {}

    record Dropped(DropReason reason) implements Opened {}
  }

  private record SessionId(short keyId, ByteBuffer session) {}

  private static final class Sender {
    private final KeyRing.Key root;
    private final SecretKey key;
    private final ReplayWindow window = new ReplayWindow();
    private long lastHeardMillis;

    Sender(KeyRing.Key root, byte[] session) {
      this.root = root;
      this.key = root.derive(session);
    }
  }

  synchronized void use(KeyRing changed) {
    ring = changed;
    senders.values().removeIf(s -> changed.named(s.root.id()).stream().noneMatch(s.root::isSame));
  }

  synchronized int senders() {
    return senders.size();
  }

  /**
   * @param kind what is expected here; the other kind is not our business
   * @param frame from its position to its limit
   */
  synchronized Opened open(byte kind, ByteBuffer frame) {
    if (frame.remaining() < FrameFormat.OVERHEAD) return dropped(DropReason.TOO_SHORT);
    ByteBuffer headerBytes = frame.slice(frame.position(), FrameFormat.HEADER);
    Header header = Header.read(frame);
    if (header.kind() != kind) return dropped(DropReason.VERSION);
    if (header.tag() != ring.tag()) return dropped(DropReason.OTHER_CLUSTER);
    if (header.receiver() != 0 && header.receiver() != self) return dropped(DropReason.OTHER_NODE);
    List<KeyRing.Key> keys = ring.named(header.keyId());
    if (keys.isEmpty()) return dropped(DropReason.UNKNOWN_KEY);
    SessionId id = new SessionId(header.keyId(), ByteBuffer.wrap(header.session()));
    Sender known = senders.get(id);
    if (known != null && !known.window.isNew(header.counter())) {
      return dropped(DropReason.REPLAYED);
    }
    if (known == null && !isFresh(header.seconds())) return dropped(DropReason.STALE);
    List<Sender> candidates =
        known != null
            ? List.of(known)
            : keys.stream().map(key -> new Sender(key, header.session())).toList();
    for (Sender sender : candidates) {
      Optional<byte[]> payload = unseal(sender, header, headerBytes, frame);
      if (payload.isEmpty()) continue;
      if (known == null && !makeRoom()) return dropped(DropReason.SENDERS_FULL);
      senders.putLast(id, sender);
      sender.window.mark(header.counter());
      sender.lastHeardMillis = clock.millis();
      return new Opened.Payload(payload.get(), sender.root);
    }
    return dropped(DropReason.FORGED);
  }

  private Optional<byte[]> unseal(
      Sender sender, Header header, ByteBuffer headerBytes, ByteBuffer sealed) {
    byte[] payload = new byte[sealed.remaining() - FrameFormat.SEAL];
    try {
      FrameFormat.crypt(
          cipher,
          Cipher.DECRYPT_MODE,
          sender.key,
          header.counter(),
          headerBytes.duplicate(),
          ring.cluster(),
          sealed.duplicate(),
          ByteBuffer.wrap(payload));
      return Optional.of(payload);
    } catch (GeneralSecurityException e) {
      return Optional.empty();
    }
  }

  private boolean isFresh(long seconds) {
    return Math.abs(clock.millis() / 1000 - seconds) <= FRESH.toSeconds();
  }

  /**
   * A sender may be forgotten only when its last frame is too old to be taken for a first one: then
   * forgetting opens no door to a replay.
   */
  private boolean makeRoom() {
    if (senders.size() >= maxSenders) {
      long quietSince = clock.millis() - FRESH.multipliedBy(2).toMillis();
      Iterator<Sender> oldest = senders.values().iterator();
      if (oldest.next().lastHeardMillis > quietSince) return false;
      oldest.remove();
    }
    return true;
  }

  private static Opened dropped(DropReason reason) {
    return new Opened.Dropped(reason);
  }
}
