package org.quorumail.gossip.net;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.quorumail.gossip.Address;

/**
 * Carries the messages of gossip between nodes that have proven the secret to each other. No method
 * waits for the network. Thread-safe.
 */
interface Transport extends AutoCloseable {
  /** The port that is bound. */
  int port();

  /** Bytes of messages that one datagram holds, {@link Body#PER_MESSAGE} for each included. */
  int datagramCapacity();

  /**
   * Sends them as one datagram, which may be lost; together at most {@link #datagramCapacity()}.
   */
  void send(Peer to, List<byte[]> messages);

  /**
   * Sends it over a stream: the one whose other end is at this address, else a new one. When that
   * fails, {@link Receiver#unreachable} is told.
   */
  void sendReliably(Peer to, byte[] message);

  /**
   * Keeps a connection to a neighbour, and draws from the queue as fast as that takes it, until
   * {@link #release}. When it breaks or cannot be made, {@link Receiver#unreachable} is told and
   * nothing is drawn any more.
   */
  void keep(Peer neighbour, NeighbourQueue queue);

  /** The connection may end; what still waits is not sent. */
  void release(Peer neighbour);

  /** Bytes for one neighbour that may go as datagrams within 100 ms; 0 when none should. */
  int datagramBudget();

  /** The key ring for what is sent and opened from now on; open streams go on. */
  void use(KeyRing ring);

  @Override
  void close();

  /**
   * Whom something is for.
   *
   * @param name its id when known, else empty
   */
  record Peer(Address address, String name) {}

  /** Told of what arrives, from the transport's threads; must not wait. */
  interface Receiver {
    /**
     * @param from where an answer goes to
     * @return false when there was no room for it
     */
    boolean received(Address from, byte[] message, boolean reliable);

    /**
     * Hands on the messages of a body, or counts why not.
     *
     * @param proven the sender's names, where the transport knows them
     * @param maxInflated bytes that a compressed one may grow to
     * @return false when it is not in our format, or said in another's name
     */
    default boolean body(
        Address from,
        Optional<Set<String>> proven,
        byte[] body,
        int maxInflated,
        boolean reliable) {
      try {
        for (byte[] message : Body.read(body, maxInflated)) {
          if (proven.isPresent() && !proven.get().containsAll(Claims.of(message))) {
            dropped(DropReason.IMPOSTOR);
            return false;
          }
          if (!received(from, message, reliable)) dropped(DropReason.QUEUE_FULL);
        }
        return true;
      } catch (MalformedFrame e) {
        dropped(DropReason.MALFORMED);
      } catch (Compression.TooLarge e) {
        dropped(DropReason.INFLATED_TOO_LARGE);
      }
      return false;
    }

    /** A message could not be sent over a stream, or a kept connection broke. */
    void unreachable(Peer to);

    /** A node was reached over a stream, but did not prove the secret. */
    void refused(Peer by);

    void dropped(DropReason reason);
  }
}
