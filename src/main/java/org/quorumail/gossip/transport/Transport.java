package org.quorumail.gossip.transport;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.quorumail.gossip.NodeAddress;

/**
 * A carrier of gossip messages between nodes that have proven the secret to each other. No method
 * waits for the network. Thread-safe.
 */
public interface Transport extends AutoCloseable {
  /** The bound port. */
  int port();

  /**
   * The bytes of messages that one datagram holds; each message costs {@link
   * FrameBody#MESSAGE_OVERHEAD} more.
   */
  int datagramCapacity();

  /**
   * Sends the messages as one datagram, which may be lost; together they have at most {@link
   * #datagramCapacity()} bytes.
   */
  void send(PeerAddress to, List<byte[]> messages);

  /**
   * Sends the message over the stream to this address, and opens a stream if there is none. A
   * failure is reported to {@link Receiver#onUnreachable}.
   */
  void sendOverStream(PeerAddress to, byte[] message);

  /**
   * Keeps a connection to a neighbour and drains the queue over it, until {@link #disconnect}. When
   * the connection breaks or cannot be made, {@link Receiver#onUnreachable} is called and the queue
   * is left as it is.
   */
  void connect(PeerAddress neighbour, OutboundQueue queue);

  /** Allows the connection to end; messages that still wait are not sent. */
  void disconnect(PeerAddress neighbour);

  /** The bytes that one neighbour may receive as datagrams within 100 ms; 0 means none. */
  int datagramBudget();

  /** Replaces the key ring for new frames and new streams; open streams keep their keys. */
  void replaceKeys(KeyRing ring);

  @Override
  void close();

  /** The owner of a transport. The transport's threads call it, so no method may wait. */
  interface Receiver {
    /**
     * Accepts one message.
     *
     * @param from the address for an answer
     * @return false when there was no room for it
     */
    boolean onMessage(NodeAddress from, byte[] message, boolean reliable);

    /** The ids of the nodes that this message claims as its sender. */
    Set<String> claimedSenders(byte[] message);

    /** A message could not be sent over a stream, or the connection to a neighbour broke. */
    void onUnreachable(PeerAddress to);

    /** A node accepted a stream but did not prove the secret. */
    void onAuthenticationFailed(PeerAddress by);

    /** A frame or message was dropped. */
    void onDropped(DropReason reason);

    /**
     * Splits a body into its messages and accepts each, or counts the reason of the drop.
     *
     * @param proven the ids that the sender has proven; empty when the transport proves none
     * @param maxDecompressed bytes that a compressed body may grow to
     * @return false when the body is malformed or claims another node's id
     */
    default boolean onBody(
        NodeAddress from,
        Optional<Set<String>> proven,
        byte[] body,
        int maxDecompressed,
        boolean reliable) {
      try {
        for (byte[] message : FrameBody.decode(body, maxDecompressed)) {
          if (proven.isPresent() && !proven.get().containsAll(claimedSenders(message))) {
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
  }
}
