package org.quorumail.gossip.driver;

import java.net.InetSocketAddress;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.discovery.NodeDiscovery;
import org.quorumail.gossip.swim.MemberState;
import org.quorumail.gossip.swim.SwimMember;
import org.quorumail.gossip.transport.PeerAddress;
import org.quorumail.gossip.transport.SocketAddresses;

/**
 * The members as the gossip thread last saw them, readable by every thread. Bounded by the members
 * and tombstones that the core remembers. Thread-safe; the gossip thread alone changes the members.
 */
final class MemberDirectory {
  private final Map<NodeId, GossipMember> members = new ConcurrentHashMap<>();
  private final Map<NodeAddress, NodeId> idsByAddress = new ConcurrentHashMap<>();
  private final Map<NodeId, Long> lastSeenMillis = new ConcurrentHashMap<>();
  private final Set<NodeAddress> unauthenticated = ConcurrentHashMap.newKeySet();

  void put(SwimMember node, MemberState state) {
    long now = System.currentTimeMillis();
    GossipMember old = members.put(node.id(), new GossipMember(node, state, now));
    if (old != null && !old.node().address().equals(node.address())) {
      idsByAddress.remove(old.node().address(), node.id());
    }
    // of two nodes with one address the living one has it: it drops frames sealed for the other
    if (state.isMember()) idsByAddress.put(node.address(), node.id());
    else idsByAddress.remove(node.address(), node.id());
    if (state == MemberState.ALIVE) lastSeenMillis.put(node.id(), now);
  }

  /** Records a node that did not prove the secret. Bounded: only seeds are called without an id. */
  void recordUnauthenticated(NodeAddress address) {
    if (unauthenticated.size() < NodeDiscovery.MAX_FOUND) unauthenticated.add(address);
  }

  boolean isUnauthenticated(NodeAddress address) {
    return unauthenticated.contains(address);
  }

  /** Records a frame from this address. */
  void recordContact(NodeAddress from) {
    NodeId id = idsByAddress.get(from);
    unauthenticated.remove(from);
    if (id != null) lastSeenMillis.put(id, System.currentTimeMillis());
  }

  /** The address with its node id, if known. */
  PeerAddress peer(NodeAddress address) {
    NodeId id = idsByAddress.get(address);
    return new PeerAddress(address, id == null ? "" : id.value());
  }

  /** The address of a member; empty for a node that is dead, has left, or is unknown. */
  Optional<PeerAddress> peer(NodeId id) {
    GossipMember member = members.get(id);
    if (member == null || !member.state().isMember()) return Optional.empty();
    return Optional.of(new PeerAddress(member.node().address(), id.value()));
  }

  /** All remembered nodes, including dead ones and those that left. */
  List<GossipMember> members() {
    return members.values().stream().map(this::withLastSeen).toList();
  }

  private GossipMember withLastSeen(GossipMember member) {
    long millis = lastSeenMillis.getOrDefault(member.node().id(), 0L);
    return new GossipMember(member.node(), member.state(), millis);
  }

  /**
   * The addresses to call after a restart: members first, then nodes declared dead, which may only
   * be unreachable now. A node that left is not called.
   */
  List<InetSocketAddress> rejoinAddresses() {
    return members.values().stream()
        .filter(m -> m.state() != MemberState.LEFT)
        .sorted(Comparator.comparing(m -> !m.state().isMember()))
        .map(m -> SocketAddresses.toSocketAddress(m.node().address()))
        .toList();
  }

  int memberCount() {
    return (int) members.values().stream().filter(m -> m.state().isMember()).count();
  }

  /** Forgets the dead nodes, and those that left, that the core has forgotten. */
  void retain(Predicate<NodeId> isKnown) {
    members.values().removeIf(m -> !m.state().isMember() && !isKnown.test(m.node().id()));
    idsByAddress.values().removeIf(id -> !members.containsKey(id));
    lastSeenMillis.keySet().removeIf(id -> !members.containsKey(id));
  }
}
