package org.quorumail.cluster;

import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * The payload of a broadcast between nodes: one byte of kind, then JSON. It carries soft state
 * only, never mail.
 */
sealed interface ClusterBroadcast {
  JsonMapper JSON = JsonMapper.shared();

  /** The load of the sender; the last report counts. */
  record LoadReport(MemberMetadata.NodeLoad load) implements ClusterBroadcast {}

  /** An event that its sender publishes. */
  record EventNotice(ClusterEvent event) implements ClusterBroadcast {}

  default byte[] encode() {
    return switch (this) {
      case LoadReport report -> encode((byte) 'L', report.load());
      case EventNotice notice -> encode((byte) 'E', notice.event());
    };
  }

  /**
   * Decodes a payload; empty for a kind of a later version, and for one that is too long or
   * damaged.
   */
  static Optional<ClusterBroadcast> decode(byte[] bytes) {
    if (bytes.length < 2 || bytes.length > ClusterEvent.MAX_BYTES) return Optional.empty();
    try {
      return switch (bytes[0]) {
        case 'L' -> read(bytes, MemberMetadata.NodeLoad.class).map(LoadReport::new);
        case 'E' -> read(bytes, ClusterEvent.class).map(EventNotice::new);
        default -> Optional.empty();
      };
    } catch (JacksonException e) {
      return Optional.empty();
    }
  }

  /** Reads the value after the kind; empty for JSON's null. */
  private static <T> Optional<T> read(byte[] bytes, Class<T> type) {
    return Optional.ofNullable(JSON.readValue(bytes, 1, bytes.length - 1, type));
  }

  private static byte[] encode(byte kind, Object value) {
    byte[] json = JSON.writeValueAsBytes(value);
    byte[] all = new byte[json.length + 1];
    all[0] = kind;
    System.arraycopy(json, 0, all, 1, json.length);
    return all;
  }
}
