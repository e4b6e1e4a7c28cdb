package org.quorumail.cluster;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import org.quorumail.replication.DurableFile;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * The members that founded the cluster, agreed once and kept in the data directory. Every node
 * computes the formation from the metadata of the expected nodes. All see the same metadata, sorted
 * the same way, so all arrive at the same groups without a leader.
 *
 * @param members sorted by node id
 */
public record Formation(List<Member> members) {
  private static final JsonMapper JSON = JsonMapper.shared();

  public Formation {
    members = members.stream().sorted(Comparator.comparing(Member::nodeId)).toList();
  }

  /** A founding member, with the address of its Raft port. */
  public record Member(String nodeId, String peerId, String host, int raftPort, String zone) {}

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
            ? "node.data_directory: the cluster knows %s by a directory that is not this one; a node that lost its disk cannot return under its old name: restore the directory, or form the cluster again"
                .formatted(self.nodeId())
            : "cluster.seeds: %s belongs to a cluster that was formed without %s"
                .formatted(other.nodeId(), self.nodeId()));
  }

  /** A node as a founding member. */
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
   * The address that the other nodes replicate to, if this node now has another one. They know this
   * node by the address that it had when the cluster was founded.
   *
   * @return {@code host:port}
   */
  public Optional<String> formerAddress(Member now) {
    return findPeer(now.peerId())
        .filter(m -> !m.host().equals(now.host()) || m.raftPort() != now.raftPort())
        .map(m -> m.host() + ":" + m.raftPort());
  }

  /** Reads a stored formation; empty when this node has not formed or joined a cluster yet. */
  public static Optional<Formation> read(Path file) throws ClusterStartException {
    if (!Files.exists(file)) return Optional.empty();
    try {
      return Optional.of(JSON.readValue(Files.readString(file), Formation.class));
    } catch (IOException | JacksonException e) {
      throw ClusterStartException.ofEnvironment(
          "%s cannot be read; restore it from another node's copy, they are all the same"
              .formatted(file),
          e);
    }
  }

  /** Writes the formation so that a power cut leaves either nothing or all of it. */
  public void store(Path file) throws IOException {
    DurableFile.replace(file, JSON.writeValueAsBytes(this));
  }
}
