package org.quorumail.cluster;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.quorumail.cluster.Formation.Member;
import org.quorumail.replication.DurableFile;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * The members of the cluster and of each spool. Revision 0 is the formation. Every later revision
 * is an entry of the meta group, which accepts it only as the successor of the one before. So all
 * nodes see the same revisions in the same order.
 *
 * <p>Each node keeps the latest revision that it knows in {@code cluster.json}, and opens its
 * groups by it. The file of older releases has the founding members alone.
 *
 * @param version of the stored form
 * @param clusterId the digest of the founding members, by which clusters with one secret differ
 * @param members sorted by node id
 * @param metaFounders the peer ids with which the meta group was opened first; others join it
 * @param spools the peer ids of each spool's members by the node id of its home; the home is first
 */
public record ClusterMap(
    int version,
    String clusterId,
    long revision,
    List<Member> members,
    List<String> metaFounders,
    Map<String, List<String>> spools) {
  private static final JsonMapper JSON = JsonMapper.shared();

  /** The version of the form that this release writes. */
  static final int VERSION = 2;

  /** The most members: the map is part of each node's metadata, which are at most 64 KiB. */
  static final int MEMBERS_MAX = 100;

  public ClusterMap {
    members = new Formation(orEmpty(members)).members();
    metaFounders = List.copyOf(orEmpty(metaFounders));
    Map<String, List<String>> copy = new TreeMap<>();
    Map<String, List<String>> given = Objects.isNull(spools) ? Map.of() : spools;
    given.forEach((home, peers) -> copy.put(home, List.copyOf(peers)));
    spools = Collections.unmodifiableMap(copy);
  }

  /** The file of a node; the founding members alone in that of an older release. */
  private record StoredMap(
      @Nullable Integer version,
      @Nullable String clusterId,
      @Nullable Long revision,
      @Nullable List<Member> members,
      @Nullable List<String> metaFounders,
      @Nullable Map<String, List<String>> spools) {}

  private static <T> List<T> orEmpty(List<T> list) {
    return Objects.isNull(list) ? List.of() : list; // JSON may leave it out
  }

  /** The map of a cluster that has just been founded. */
  public static ClusterMap founded(Formation formation, int replicationFactor) {
    Placement placement = new Placement(formation, replicationFactor);
    Map<String, List<String>> spools = new TreeMap<>();
    for (Member home : formation.members()) {
      spools.put(home.nodeId(), peerIds(placement.spoolMembers(home)));
    }
    return new ClusterMap(
        VERSION,
        formation.digest(),
        0,
        formation.members(),
        peerIds(placement.metaMembers()),
        spools);
  }

  /**
   * Finds the cluster that the other nodes belong to; empty while no node that is seen belongs to
   * one, or all that do run a release without cluster maps.
   *
   * @throws ClusterStartException when they belong to different clusters
   */
  public static Optional<ClusterMap> newest(Collection<MemberMetadata> others)
      throws ClusterStartException {
    @Nullable MemberMetadata source = null;
    @Nullable ClusterMap newest = null;
    for (MemberMetadata other : others) {
      ClusterMap map = other.map();
      if (map == null || map.problem().isPresent()) continue;
      if (source != null && newest != null && !newest.clusterId.equals(map.clusterId)) {
        throw new ClusterStartException(
            "cluster.seeds: %s and %s belong to different clusters; name the nodes of one, and give each cluster its own cluster.name"
                .formatted(source.nodeId(), other.nodeId()));
      }
      if (newest == null || map.revision > newest.revision) {
        newest = map;
        source = other;
      }
    }
    return Optional.ofNullable(newest);
  }

  /** The members as of this revision. */
  public Formation formation() {
    return new Formation(members);
  }

  public Optional<Member> findPeer(String peerId) {
    return members.stream().filter(m -> m.peerId().equals(peerId)).findFirst();
  }

  public Optional<Member> find(String nodeId) {
    return members.stream().filter(m -> m.nodeId().equals(nodeId)).findFirst();
  }

  /** The members of a node's spool, home first. */
  public List<Member> spoolMembers(String home) {
    return spools.getOrDefault(home, List.of()).stream()
        .flatMap(peer -> findPeer(peer).stream())
        .toList();
  }

  /** The members with which the meta group was opened first. */
  public List<Member> metaFoundingMembers() {
    return metaFounders.stream().flatMap(peer -> findPeer(peer).stream()).toList();
  }

  /**
   * The reason why this node cannot be added. A node id stays with its directory: under the id of
   * another directory a node would claim votes and mail that it does not have.
   *
   * @return one sentence for the operator of the joining node
   */
  public Optional<String> joinProblem(MemberMetadata node) {
    if (find(node.nodeId()).isPresent()) {
      return Optional.of(
          "node.data_directory: the cluster knows %s by a directory that is not this one; restore the directory, or give this node an id of its own in node.id and an empty directory"
              .formatted(node.nodeId()));
    }
    if (members.size() >= MEMBERS_MAX) {
      return Optional.of(
          "cluster.seeds: the cluster has %d members, the most that it can have"
              .formatted(members.size()));
    }
    return Optional.empty();
  }

  /**
   * The next revision: with one member more, whose spool is replicated to members that are ready.
   *
   * @param isReady selects the members that can take a replica now
   */
  ClusterMap withMember(Member joined, int replicationFactor, Predicate<Member> isReady) {
    List<Member> ready = members.stream().filter(isReady).toList();
    List<Member> candidates = ready.size() >= replicationFactor - 1 ? ready : members;
    Placement placement = new Placement(formationOf(candidates, joined), replicationFactor);
    Map<String, List<String>> changed = new TreeMap<>(spools);
    changed.put(joined.nodeId(), peerIds(placement.spoolMembers(joined)));
    return new ClusterMap(
        VERSION,
        clusterId,
        revision + 1,
        formationOf(members, joined).members(),
        metaFounders,
        changed);
  }

  private static Formation formationOf(List<Member> members, Member one) {
    List<Member> all = new ArrayList<>(members);
    all.add(one);
    return new Formation(all);
  }

  private static List<String> peerIds(List<Member> members) {
    return members.stream().map(Member::peerId).toList();
  }

  /** The reason why this map cannot be used; JSON may leave anything out. */
  Optional<String> problem() {
    if (version != VERSION) return Optional.of("it has the unknown version " + version);
    if (Objects.isNull(clusterId) || revision < 0) return Optional.of("it has no id or revision");
    if (members.isEmpty() || members.size() > MEMBERS_MAX) {
      return Optional.of("it has %d members".formatted(members.size()));
    }
    Set<String> nodes = new HashSet<>();
    Set<String> peers = new HashSet<>();
    for (Member m : members) {
      boolean whole =
          Stream.of(m.nodeId(), m.peerId(), m.host(), m.zone()).allMatch(Objects::nonNull);
      if (!whole) return Optional.of("a member has no id, address or zone");
      if (!nodes.add(m.nodeId()) || !peers.add(m.peerId())) {
        return Optional.of("%s is a member twice".formatted(m.nodeId()));
      }
    }
    for (Map.Entry<String, List<String>> spool : spools.entrySet()) {
      boolean known = peers.containsAll(spool.getValue());
      boolean distinct = new HashSet<>(spool.getValue()).size() == spool.getValue().size();
      if (spool.getValue().isEmpty() || !known || !distinct) {
        return Optional.of("the spool of %s has no or wrong members".formatted(spool.getKey()));
      }
    }
    return spools.keySet().containsAll(nodes)
        ? Optional.empty()
        : Optional.of("a member has no spool");
  }

  /**
   * Reads the map that this node has kept; empty when it has not formed or joined a cluster yet.
   *
   * @param replicationFactor by which the nodes of an older release have placed the spools
   */
  public static Optional<ClusterMap> read(Path file, int replicationFactor)
      throws ClusterStartException {
    if (!Files.exists(file)) return Optional.empty();
    try {
      StoredMap stored = JSON.readValue(Files.readString(file), StoredMap.class);
      if (stored == null) throw new IOException("it is empty");
      ClusterMap map = map(stored, replicationFactor);
      Optional<String> problem = map.problem();
      if (problem.isPresent()) throw new IOException(problem.get());
      return Optional.of(map);
    } catch (IOException | JacksonException e) {
      throw ClusterStartException.ofEnvironment(
          "%s cannot be read; restore it from another node's copy, they are all the same"
              .formatted(file),
          e);
    }
  }

  private static ClusterMap map(StoredMap stored, int replicationFactor) throws IOException {
    List<Member> members = stored.members;
    if (members == null || members.isEmpty()) throw new IOException("it has no members");
    if (stored.version == null) return founded(new Formation(members), replicationFactor);
    if (stored.clusterId == null
        || stored.revision == null
        || stored.metaFounders == null
        || stored.spools == null) throw new IOException("it is not complete");
    return new ClusterMap(
        stored.version,
        stored.clusterId,
        stored.revision,
        members,
        stored.metaFounders,
        stored.spools);
  }

  /** Writes the map so that a power cut leaves either the former or all of it. */
  public void store(Path file) throws IOException {
    DurableFile.replace(file, JSON.writeValueAsBytes(this));
  }
}
