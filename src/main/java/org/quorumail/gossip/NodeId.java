package org.quorumail.gossip;

/**
 * The name of a node: 1 to 64 letters, digits, dots, hyphens or underscores, unique per cluster.
 */
public record NodeId(String value) implements Comparable<NodeId> {
  /** One more than a DNS label (63) needs; an update stays within a few dozen bytes. */
  public static final int MAX_LENGTH = 64;

  public NodeId {
    if (!isValid(value)) {
      throw new IllegalArgumentException(
          "a node id is 1 to 64 letters, digits, '.', '-' or '_': " + value);
    }
  }

  static boolean isValid(String value) {
    if (value.isEmpty() || value.length() > MAX_LENGTH) return false;
    for (int i = 0; i < value.length(); i++) {
      if (!isValid(value.charAt(i))) return false;
    }
    return true;
  }

  private static boolean isValid(char c) {
    return (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9')
        || c == '.'
        || c == '-'
        || c == '_';
  }

  /** A hash that is the same on every node: FNV-1a over the characters, mixed. */
  public long hash64() {
    return Hash64.of(value);
  }

  @Override
  public int compareTo(NodeId other) {
    return value.compareTo(other.value);
  }

  @Override
  public String toString() {
    return value;
  }
}
