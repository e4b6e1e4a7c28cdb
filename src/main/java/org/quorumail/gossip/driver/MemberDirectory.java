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
import org.quorumail.gossip.transport.UdpSocket;

/**
 * The members as the gossip thread last saw them, for every thread to read. Bounded by what the
 * core remembers: its members and its tombstones.
 */
final class MemberDirectory {
  private final Map<NodeId, GossipMember> members = new ConcurrentHashMap<>();
  private final Map<NodeAddress, NodeId> idsByAddress = new ConcurrentHashMap<>();
  private final Map<NodeId, Long> heard = new ConcurrentHashMap<>();
  private final Set<NodeAddress> unauthenticated = ConcurrentHashMap.newKeySet();

  void put(SwimMember node, MemberState state) {
    GossipMember old =
        members.put(node.id(), new GossipMember(node, state, System.currentTimeMillis()));
    if (old != null && !old.node().address().equals(node.address())) {
      idsByAddress.remove(old.node().address(), node.id());
    }
    // of two with one address the living one goes by it: what is sealed for the other is dropped
    if (state.isMember()) idsByAddress.put(node.address(), node.id());
    else idsByAddress.remove(node.address(), node.id());
    if (state == MemberState.ALIVE) heard.put(node.id(), System.currentTimeMillis());
  }

  /** A node at this address did not prove the secret. Bounded: only seeds are ever called so. */
  void recordUnauthenticated(NodeAddress by) {
    if (unauthenticated.size() < NodeDiscovery.MAX_FOUND) unauthenticated.add(by);
  }

  boolean isUnauthenticated(NodeAddress address) {
    return unauthenticated.contains(address);
  }

  /** A frame came from this address. */
  void heard(NodeAddress from) {
    NodeId id = idsByAddress.get(from);
    unauthenticated.remove(from);
    if (id != null) heard.put(id, System.currentTimeMillis());
  }

  /** The address with the name that goes with it, if known. */
  PeerAddress peer(NodeAddress address) {
    NodeId id = idsByAddress.get(address);
    return new PeerAddress(address, id == null ? "" : id.value());
  }

  Optional<PeerAddress> peer(NodeId id) {
    GossipMember member = members.get(id);
    if (member == null || !member.state().isMember()) return Optional.empty();
    return Optional.of(new PeerAddress(member.node().address(), id.value()));
  }

  /** Dead ones and those that left among them. */
  List<GossipMember> members() {
    return members.values().stream()
        .map(m -> new GossipMember(m.node(), m.state(), heard.getOrDefault(m.node().id(), 0L)))
        .toList();
  }

  /**
   * Where the others were last: those that are there first, then those that are held dead. Who is
   * merely out of sight is what a node looks for after a restart; who left is not.
   */
  List<InetSocketAddress> rejoinAddresses() {
    return members.values().stream()
        .filter(m -> m.state() != MemberState.LEFT)
        .sorted(Comparator.comparing(m -> !m.state().isMember()))
        .map(m -> UdpSocket.socketAddress(m.node().address()))
        .toList();
  }

  int memberCount() {
    return (int) members.values().stream().filter(m -> m.state().isMember()).count();
  }

  /** Forgets those that are gone and that the core has forgotten. */
  void retain(Predicate<NodeId> isKnown) {
    members.values().removeIf(m -> !m.state().isMember() && !isKnown.test(m.node().id()));
    idsByAddress.values().removeIf(id -> !members.containsKey(id));
    heard.keySet().removeIf(id -> !members.containsKey(id));
  }
}
