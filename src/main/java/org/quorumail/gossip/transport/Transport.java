package org.quorumail.gossip.transport;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.driver.ClaimedSender;
import org.quorumail.gossip.driver.NeighbourQueue;

/**
 * Carries the messages of gossip between nodes that have proven the secret to each other. No method
 * waits for the network. Thread-safe.
 */
public interface Transport extends AutoCloseable {
  /** The port that is bound. */
  int port();

  /**
   * Bytes of messages that one datagram holds, {@link FrameBody#MESSAGE_OVERHEAD} for each
   * included.
   */
  int datagramCapacity();

  /**
   * Sends them as one datagram, which may be lost; together at most {@link #datagramCapacity()}.
   */
  void send(PeerAddress to, List<byte[]> messages);

  /**
   * Sends it over a stream: the one whose other end is at this address, else a new one. When that
   * fails, {@link Receiver#onUnreachable} is told.
   */
  void sendOverStream(PeerAddress to, byte[] message);

  /**
   * Keeps a connection to a neighbour, and draws from the queue as fast as that takes it, until
   * {@link #disconnect}. When it breaks or cannot be made, {@link Receiver#onUnreachable} is told
   * and nothing is drawn any more.
   */
  void connect(PeerAddress neighbour, NeighbourQueue queue);

  /** The connection may end; what still waits is not sent. */
  void disconnect(PeerAddress neighbour);

  /** Bytes for one neighbour that may go as datagrams within 100 ms; 0 when none should. */
  int datagramBudget();

  /** The key ring for what is sent and opened from now on; open streams go on. */
  void replaceKeys(KeyRing ring);

  @Override
  void close();

  /** Told of what arrives, from the transport's threads; must not wait. */
  interface Receiver {
    /**
     * @param from where an answer goes to
     * @return false when there was no room for it
     */
    boolean onMessage(NodeAddress from, byte[] message, boolean reliable);

    /**
     * Hands on the messages of a body, or counts why not.
     *
     * @param proven the sender's names, where the transport knows them
     * @param maxInflated bytes that a compressed one may grow to
     * @return false when it is not in our format, or said in another's name
     */
    default boolean onBody(
        NodeAddress from,
        Optional<Set<String>> proven,
        byte[] body,
        int maxInflated,
        boolean reliable) {
      try {
        for (byte[] message : FrameBody.decode(body, maxInflated)) {
          if (proven.isPresent() && !proven.get().containsAll(ClaimedSender.of(message))) {
            onDropped(DropReason.IMPOSTOR);
            return false;
          }
          if (!onMessage(from, message, reliable)) onDropped(DropReason.QUEUE_FULL);
        }
        return true;
      } catch (MalformedFrame e) {
        onDropped(DropReason.MALFORMED);
      } catch (Compression.DecompressedTooLarge e) {
        onDropped(DropReason.INFLATED_TOO_LARGE);
      }
      return false;
    }

    /** A message could not be sent over a stream, or a kept connection broke. */
    void onUnreachable(PeerAddress to);

    /** A node was reached over a stream, but did not prove the secret. */
    void onAuthenticationFailed(PeerAddress by);

    void onDropped(DropReason reason);
  }
}
