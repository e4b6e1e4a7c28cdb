package org.quorumail.gossip.swim;

import java.util.Arrays;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.Hash64;
import org.quorumail.gossip.NodeId;

/**
 * A node's view of the other nodes: alive, suspect, dead, left. Arrays by slot and an
 * open-addressed index take about 16 bytes a row besides the {@link SwimMember}. So ten thousand
 * views of ten thousand rows fit a simulation's memory. Digests over the live rows are kept up to
 * date, so comparing equal views costs nothing.
 */
final class MemberTable {
  private static final byte FREE = -1;
  private static final int UNKNOWN = -1;

  private @Nullable SwimMember[] members = new SwimMember[16];
  private byte[] states = new byte[16];

  /**
   * The slots by the hash of the id; linear probing, at most 70 % full. An entry is 0 if free, else
   * slot + 1 in the bits that choose the entry, with the hash's other bits above them. The latter
   * distinguish most other ids without reading their rows.
   */
  private int[] index = new int[32];

  private int used;
  private int rows;
  private int live;
  private final long[] digests = new long[SwimMessage.PushPullRequest.MAX_BUCKETS];

  private int[] round = new int[0];
  private int cursor;

  private final long ownRingPosition;

  /** The slot of the next live member on the ring; computed on demand. */
  private int next = UNKNOWN;

  MemberTable(NodeId self) {
    Arrays.fill(states, FREE);
    this.ownRingPosition = self.hash64();
  }

  /** The number of live and dead rows. */
  int rows() {
    return rows;
  }

  /** The number of alive and suspect rows. */
  int live() {
    return live;
  }

  @Nullable SwimMember find(NodeId id) {
    int slot = slot(id);
    return slot < 0 ? null : members[slot];
  }

  @Nullable MemberState state(NodeId id) {
    int slot = slot(id);
    return slot < 0 ? null : MemberState.ofCode(states[slot]);
  }

  /** Adds the row or replaces it. */
  void put(SwimMember node, MemberState state, RandomGenerator random) {
    int slot = slot(node.id());
    if (slot < 0) slot = add(node, random);
    else removeFromDigest(slot);
    members[slot] = node;
    states[slot] = (byte) state.code();
    if (state.isMember()) {
      live++;
      toggleDigest(node);
      if (next != UNKNOWN && isNearer(slot, next)) next = slot;
    }
  }

  void remove(NodeId id) {
    int slot = slot(id);
    if (slot < 0) return;
    removeFromDigest(slot);
    unindex(id);
    members[slot] = null;
    states[slot] = FREE;
    rows--;
  }

  private void removeFromDigest(int slot) {
    SwimMember node = members[slot];
    if (node == null || !isLive(slot)) return;
    if (slot == next) next = UNKNOWN;
    live--;
    toggleDigest(node);
  }

  private boolean isLive(int slot) {
    return states[slot] == 0 || states[slot] == 1;
  }

  /**
   * One digest per bucket: the XOR over its live rows.
   *
   * @param buckets a power of two, at most {@link SwimMessage.PushPullRequest#MAX_BUCKETS}
   */
  long[] digests(int buckets) {
    long[] coarse = new long[buckets];
    for (int i = 0; i < digests.length; i++) coarse[i & (buckets - 1)] ^= digests[i];
    return coarse;
  }

  static int bucket(NodeId id, int buckets) {
    return (int) id.hash64() & (buckets - 1);
  }

  static long digest(SwimMember node) {
    return Hash64.mix(node.id().hash64() ^ Hash64.mix(node.incarnation() + 1));
  }

  private void toggleDigest(SwimMember node) {
    digests[bucket(node.id(), digests.length)] ^= digest(node);
  }

  void forEach(RowVisitor visitor) {
    for (int slot = 0; slot < used; slot++) {
      SwimMember node = members[slot];
      MemberState state = MemberState.ofCode(states[slot]);
      if (node != null && state != null) visitor.row(node, state);
    }
  }

  void forEachLive(Consumer<SwimMember> visitor) {
    forEach(
        (node, state) -> {
          if (state.isMember()) visitor.accept(node);
        });
  }

  interface RowVisitor {
    void row(SwimMember node, MemberState state);
  }

  /**
   * The next live member in a shuffled round. A round visits every member once, which bounds the
   * time between two probes of it (SWIM, section 4.3).
   */
  @Nullable SwimMember nextInRound(RandomGenerator random) {
    for (int pass = 0; pass < 2; pass++) {
      while (cursor < round.length) {
        int slot = round[cursor++];
        if (isLive(slot)) return members[slot];
      }
      shuffleRound(random);
    }
    return null;
  }

  /**
   * The next live member on a ring ordered by the hash of the names; null when there is none. In
   * equal views each member is the next of exactly one other.
   */
  @Nullable SwimMember nextOnRing() {
    if (next == UNKNOWN) {
      for (int slot = 0; slot < used; slot++) {
        if (isLive(slot) && (next == UNKNOWN || isNearer(slot, next))) next = slot;
      }
    }
    return next == UNKNOWN ? null : members[next];
  }

  private boolean isNearer(int slot, int than) {
    return Long.compareUnsigned(distance(slot), distance(than)) < 0;
  }

  /** The distance from this node onwards around the ring of all hashes. */
  private long distance(int slot) {
    SwimMember node = members[slot];
    return node == null ? -1 : node.id().hash64() - ownRingPosition;
  }

  private void shuffleRound(RandomGenerator random) {
    int[] next = new int[live];
    int count = 0;
    for (int slot = 0; slot < used; slot++) {
      if (isLive(slot)) next[count++] = slot;
    }
    for (int i = count - 1; i > 0; i--) swap(next, i, random.nextInt(i + 1));
    round = next;
    cursor = 0;
  }

  /** A random live member, or null when some dozens of draws found none that the filter accepts. */
  @Nullable SwimMember randomLive(RandomGenerator random, Predicate<SwimMember> filter) {
    if (live == 0) return null;
    for (int draw = 0; draw < 32; draw++) {
      int slot = random.nextInt(used);
      SwimMember node = members[slot];
      if (node != null && isLive(slot) && filter.test(node)) return node;
    }
    int start = random.nextInt(used);
    if (used > 256) return null;
    for (int i = 0; i < used; i++) {
      int slot = (start + i) % used;
      SwimMember node = members[slot];
      if (node != null && isLive(slot) && filter.test(node)) return node;
    }
    return null;
  }

  private int add(SwimMember node, RandomGenerator random) {
    int slot = freeSlot();
    rows++;
    if (rows * 10 > index.length * 7) growIndex();
    index(node.id(), slot);
    joinRound(slot, random);
    return slot;
  }

  /** Puts a newcomer at a random position in the rest of the running round. */
  private void joinRound(int slot, RandomGenerator random) {
    if (cursor >= round.length) return;
    int position = cursor + random.nextInt(round.length - cursor);
    // the member at that position moves before the cursor and is visited next: none is skipped
    if (cursor > 0) round[--cursor] = round[position];
    round[position] = slot;
  }

  private int freeSlot() {
    if (rows < used) {
      for (int slot = 0; slot < used; slot++) if (states[slot] == FREE) return slot;
    }
    if (used == members.length) {
      members = Arrays.copyOf(members, used + used / 2);
      states = Arrays.copyOf(states, used + used / 2);
      Arrays.fill(states, used, states.length, FREE);
    }
    return used++;
  }

  private int slot(NodeId id) {
    int mask = index.length - 1;
    int hash = spread(id);
    for (int at = hash & mask; index[at] != 0; at = (at + 1) & mask) {
      if (((index[at] ^ hash) & ~mask) != 0) continue;
      int slot = (index[at] & mask) - 1;
      SwimMember node = members[slot];
      if (node != null && (node.id() == id || node.id().equals(id))) return slot;
    }
    return -1;
  }

  private static int spread(NodeId id) {
    int hash = id.value().hashCode() * 0x9e3779b9;
    return hash ^ (hash >>> 15);
  }

  private void index(NodeId id, int slot) {
    int mask = index.length - 1;
    int hash = spread(id);
    int at = hash & mask;
    while (index[at] != 0) at = (at + 1) & mask;
    index[at] = (hash & ~mask) | (slot + 1);
  }

  private void growIndex() {
    index = new int[index.length * 2];
    reindex();
  }

  /** Rebuilds the index: removal is rare (a tombstone's end), and markers would cost lookups. */
  private void unindex(NodeId gone) {
    Arrays.fill(index, 0);
    int goneSlot = -1;
    for (int slot = 0; slot < used; slot++) {
      SwimMember node = members[slot];
      if (node != null && node.id().equals(gone)) goneSlot = slot;
    }
    if (goneSlot >= 0) members[goneSlot] = null;
    reindex();
  }

  private void reindex() {
    for (int slot = 0; slot < used; slot++) {
      SwimMember node = members[slot];
      if (node != null) index(node.id(), slot);
    }
  }

  /** A sentence about the first invariant that does not hold; null when all hold. */
  @Nullable String violation() {
    long[] recomputed = new long[digests.length];
    int[] counts = new int[2];
    forEach(
        (member, state) -> {
          counts[0]++;
          if (!state.isMember()) return;
          counts[1]++;
          recomputed[bucket(member.id(), digests.length)] ^= digest(member);
        });
    if (counts[0] != rows) return rows + " rows counted, " + counts[0] + " found";
    if (counts[1] != live) return live + " live rows counted, " + counts[1] + " found";
    if (!Arrays.equals(recomputed, digests)) return "the digests are not those of the rows";
    for (int slot = 0; slot < used; slot++) {
      SwimMember member = members[slot];
      if (member != null && slot(member.id()) != slot) return member.id() + " is not in the index";
    }
    return null;
  }

  private static void swap(int[] array, int a, int b) {
    int first = array[a];
    array[a] = array[b];
    array[b] = first;
  }
}
