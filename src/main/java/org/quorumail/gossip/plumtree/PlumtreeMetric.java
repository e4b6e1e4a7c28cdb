package org.quorumail.gossip.plumtree;

import java.util.Locale;

/**
 * The metrics of a node's broadcasts: those of memberlist-plumtree with their names, and four
 * others. The driver counts those of compression and QUIC.
 */
public enum PlumtreeMetric {
  MESSAGES_BROADCAST(Kind.COUNTER, "Broadcasts of this node"),
  MESSAGES_DELIVERED(Kind.COUNTER, "Messages handed to the application"),
  MESSAGES_DUPLICATE(Kind.COUNTER, "Payloads received again"),
  GOSSIP_SENT(Kind.COUNTER, "Payloads sent"),
  IHAVE_SENT(Kind.COUNTER, "IHave messages sent"),
  GRAFT_SENT(Kind.COUNTER, "Grafts sent"),
  PRUNE_SENT(Kind.COUNTER, "Prunes sent"),
  GRAFT_SUCCESS(Kind.COUNTER, "Grafts answered with the payload"),
  GRAFT_FAILED(Kind.COUNTER, "Missing messages that no announcer sent in time"),
  GRAFT_RETRIES(Kind.COUNTER, "Grafts after the first for a message"),
  PEER_PROMOTIONS(Kind.COUNTER, "Links that became eager in a tree"),
  PEER_DEMOTIONS(Kind.COUNTER, "Links that became lazy in a tree"),
  PEER_ADDED(Kind.COUNTER, "Links added"),
  PEER_REMOVED(Kind.COUNTER, "Links removed"),
  SEEN_MAP_EVICTIONS(Kind.COUNTER, "Origins evicted from the table of seen messages"),
  PRIORITY_ENQUEUED(Kind.COUNTER, "Messages added to the queue of a slow link"),
  PRIORITY_DEQUEUED(Kind.COUNTER, "Messages taken from the queue of a slow link"),
  PRIORITY_DROPPED(Kind.COUNTER, "Messages dropped from the queue of a slow link"),
  COMPRESSION_BYTES_IN(Kind.COUNTER, "Payload bytes before compression"),
  COMPRESSION_BYTES_SAVED(Kind.COUNTER, "Bytes that compression saved"),
  COMPRESSION_MESSAGES(Kind.COUNTER, "Payloads compressed"),
  COMPRESSION_SKIPPED(Kind.COUNTER, "Payloads sent uncompressed"),
  QUIC_BYTES_SENT(Kind.COUNTER, "Bytes sent by QUIC"),
  QUIC_BYTES_RECEIVED(Kind.COUNTER, "Bytes received by QUIC"),
  QUIC_DATAGRAMS_SENT(Kind.COUNTER, "QUIC datagrams sent"),
  QUIC_DATAGRAMS_RECEIVED(Kind.COUNTER, "QUIC datagrams received"),
  QUIC_DISCONNECTIONS(
      Kind.COUNTER, "QUIC connections that ended: idle, lost, or closed by the other end"),
  QUIC_MIGRATIONS(Kind.COUNTER, "QUIC connections that changed their path"),
  QUIC_STREAMS_OPENED(Kind.COUNTER, "QUIC streams opened"),
  QUIC_ZERO_RTT(Kind.COUNTER, "QUIC connections resumed without a round trip"),
  SYNC_ROUNDS(Kind.COUNTER, "Comparisons of seen messages started"),
  SYNC_MESSAGES(Kind.COUNTER, "Messages received by anti-entropy"),
  GRAFTS_REFUSED(Kind.COUNTER, "Grafts refused by the rate limits"),
  IHAVE_IGNORED(
      Kind.COUNTER, "Announcements ignored because the table of missing messages is full"),
  GRAFT_LATENCY_SECONDS(Kind.HISTOGRAM, "Time from a graft to its payload"),
  MESSAGE_SIZE_BYTES(Kind.HISTOGRAM, "Sizes of payloads"),
  MESSAGE_HOPS(Kind.HISTOGRAM, "Links that a message crossed"),
  IHAVE_BATCH_SIZE(Kind.HISTOGRAM, "Announcements in one IHave"),
  EAGER_PEERS(Kind.GAUGE, "Eager links in the last used tree; without a tree all links"),
  LAZY_PEERS(Kind.GAUGE, "Lazy links in the last used tree"),
  PEER_COUNT(Kind.GAUGE, "Links"),
  PEERS_HEALTHY(Kind.GAUGE, "Links with a message in the last interval"),
  PEERS_DEGRADED(Kind.GAUGE, "Links without a message for an interval"),
  PEERS_ZOMBIE(Kind.GAUGE, "Links without a message for three intervals"),
  CACHE_SIZE(Kind.GAUGE, "Payloads in the cache"),
  SEEN_MAP_SIZE(Kind.GAUGE, "Origins remembered"),
  IHAVE_QUEUE_SIZE(Kind.GAUGE, "Unacknowledged announcements and pushes"),
  PENDING_GRAFTS(Kind.GAUGE, "Messages grafted and not received yet"),
  QUIC_CONNECTIONS(Kind.GAUGE, "Open QUIC connections");

  public enum Kind {
    COUNTER,
    HISTOGRAM,
    GAUGE
  }

  private final Kind kind;
  private final String help;

  PlumtreeMetric(Kind kind, String help) {
    this.kind = kind;
    this.help = help;
  }

  public Kind kind() {
    return kind;
  }

  public String help() {
    return help;
  }

  /** The upper bounds of a histogram's buckets, in the unit of its name; otherwise empty. */
  public double[] buckets() {
    return switch (this) {
      case GRAFT_LATENCY_SECONDS ->
          new double[] {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5};
      case MESSAGE_SIZE_BYTES -> new double[] {64, 256, 1_024, 4_096, 16_384, 65_536};
      case MESSAGE_HOPS -> new double[] {1, 2, 3, 4, 6, 8, 12, 16};
      case IHAVE_BATCH_SIZE -> new double[] {1, 2, 4, 8, 16, 32, 64};
      default -> new double[0];
    };
  }

  /** The name in Prometheus, without the suffix of a counter. */
  public String seriesName() {
    return "plumtree_" + name().toLowerCase(Locale.ROOT);
  }
}
