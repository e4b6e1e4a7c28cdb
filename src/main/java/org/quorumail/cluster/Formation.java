package org.quorumail.cluster;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collection;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A set of members. Every founding node computes the first one from the metadata of the expected
 * nodes. All see the same metadata, sorted the same way, so all arrive at the same groups without a
 * leader. Later changes are revisions of the {@link ClusterMap}.
 *
 * @param members sorted by node id
 */
public record Formation(List<Member> members) {
  public Formation {
    members = members.stream().sorted(Comparator.comparing(Member::nodeId)).toList();
  }

  /** A member, with the address of its Raft port. */
  public record Member(String nodeId, String peerId, String host, int raftPort, String zone) {
    public Member {
      Objects.requireNonNull(nodeId, "nodeId"); // JSON of another node may lack them
      Objects.requireNonNull(peerId, "peerId");
      Objects.requireNonNull(host, "host");
    }

    /** Whether both are the same node, perhaps at different addresses. */
    public boolean isSame(Member other) {
      return peerId.equals(other.peerId);
    }

    /** This member at the present address of a node, if it is that node. */
    Member at(MemberMetadata node) {
      return node.peerId().equals(peerId)
          ? new Member(nodeId, peerId, node.host(), node.raftPort(), zone)
          : this;
    }
  }

  /** A stand-alone node: a cluster of one. */
  public static Formation standalone(Member self) {
    return new Formation(List.of(self));
  }

  /**
   * Derives the formation from metadata: an existing formation that includes this node, or a new
   * one when exactly the expected nodes are there; empty while nodes are missing.
   *
   * @throws ClusterStartException when this node can never be a member of what the others formed
   */
  public static Optional<Formation> fromMetadata(
      MemberMetadata self, Collection<MemberMetadata> others) throws ClusterStartException {
    for (MemberMetadata other : others) {
      if (!other.formed().isEmpty()) return Optional.of(adopt(self, other));
    }
    TreeMap<String, MemberMetadata> byId = new TreeMap<>();
    byId.put(self.nodeId(), self);
    for (MemberMetadata node : others) {
      MemberMetadata same = byId.put(node.nodeId(), node);
      if (same != null && !same.peerId().equals(node.peerId())) {
        throw new ClusterStartException(
            "node.id: two nodes call themselves %s (%s and %s); give each its own"
                .formatted(node.nodeId(), address(same), address(node)));
      }
      if (node.expect() != self.expect()) {
        throw new ClusterStartException(
            "cluster.expect: %d here but %d on %s; all nodes must expect the same number"
                .formatted(self.expect(), node.expect(), node.nodeId()));
      }
    }
    if (byId.size() > self.expect()) {
      throw new ClusterStartException(
          "cluster.expect: %d nodes are expected but %d are there (%s); correct expect or the seeds"
              .formatted(self.expect(), byId.size(), String.join(", ", byId.keySet())));
    }
    if (byId.size() < self.expect()) return Optional.empty();
    return Optional.of(new Formation(byId.values().stream().map(Formation::member).toList()));
  }

  private static Formation adopt(MemberMetadata self, MemberMetadata other)
      throws ClusterStartException {
    Formation formation = new Formation(other.formed());
    if (formation.find(self.nodeId()).filter(m -> m.peerId().equals(self.peerId())).isPresent()) {
      return formation;
    }
    boolean knownName = formation.find(self.nodeId()).isPresent();
    throw new ClusterStartException(
        knownName
            ? "node.data_directory: the cluster knows %s by a directory that is not this one; a node that lost its disk cannot return under its old name: restore the directory"
                .formatted(self.nodeId())
            : "cluster.seeds: %s belongs to a cluster of a release that cannot add nodes; upgrade all its nodes, then start %s again"
                .formatted(other.nodeId(), self.nodeId()));
  }

  /** A node as a member. */
  public static Member member(MemberMetadata node) {
    return new Member(node.nodeId(), node.peerId(), node.host(), node.raftPort(), node.zone());
  }

  private static String address(MemberMetadata node) {
    return node.host() + ":" + node.port();
  }

  public Optional<Member> find(String nodeId) {
    return members.stream().filter(m -> m.nodeId().equals(nodeId)).findFirst();
  }

  public Optional<Member> findPeer(String peerId) {
    return members.stream().filter(m -> m.peerId().equals(peerId)).findFirst();
  }

  /**
   * The address that this node had when the others last agreed on it, if it has another one now.
   *
   * @return {@code host:port}
   */
  public Optional<String> formerAddress(Member now) {
    return findPeer(now.peerId())
        .filter(m -> !m.host().equals(now.host()) || m.raftPort() != now.raftPort())
        .map(m -> m.host() + ":" + m.raftPort());
  }

  /** A digest over everything that a founding member stores, in one order. */
  String digest() {
    StringBuilder text = new StringBuilder();
    for (Member m : members) {
      text.append(m.nodeId()).append('|').append(m.peerId()).append('|').append(m.host());
      text.append('|').append(m.raftPort()).append('|').append(m.zone()).append('\n');
    }
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      byte[] digest = sha.digest(text.toString().getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest, 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
