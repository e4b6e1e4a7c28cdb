package org.quorumail.cluster;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
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
 * @param version of the stored form: 3 once a spool was dissolved, else 2
 * @param clusterId the digest of the founding members, by which clusters with one secret differ
 * @param groupNamespace the first part of the ids of all Raft groups; a cluster that began as a
 *     stand-alone node has that node's
 * @param members sorted by node id
 * @param metaFounders the peer ids with which the meta group was opened first; others join it
 * @param spools by the node id of the home, which may have been removed
 */
public record ClusterMap(
    int version,
    String clusterId,
    String groupNamespace,
    long revision,
    List<Member> members,
    List<String> metaFounders,
    Map<String, SpoolReplicas> spools) {
  private static final JsonMapper JSON = JsonMapper.shared();

  /** The namespace of the groups of a cluster that was founded as one. */
  public static final String CLUSTER_GROUPS = "cluster";

  /** The namespace of the groups of a stand-alone node. */
  public static final String STANDALONE_GROUPS = "alone";

  /** The version of a map in which no spool was ever dissolved. */
  static final int FIRST_VERSION = 2;

  /** The version from which on spools are dissolved, and new ones have {@code foundedIn}. */
  static final int DISSOLVING_VERSION = 3;

  /** The latest version that this release reads. */
  public static final int VERSION = DISSOLVING_VERSION;

  /** The most members: the map is part of each node's metadata, which are at most 64 KiB. */
  static final int MEMBERS_MAX = 100;

  public ClusterMap {
    members = new Formation(orEmpty(members)).members();
    metaFounders = List.copyOf(orEmpty(metaFounders));
    spools = Collections.unmodifiableMap(new TreeMap<>(Objects.isNull(spools) ? Map.of() : spools));
  }

  /**
   * The nodes that hold a spool, by their peer ids; at first the home is the first of them.
   *
   * @param founders with which the group was opened first; later members join it
   * @param foundedIn the revision that founded the spool, by which it differs from a dissolved one
   *     of the same home; null before version 3
   */
  public record SpoolReplicas(
      List<String> founders, List<String> members, @Nullable Long foundedIn) {
    public SpoolReplicas {
      founders = List.copyOf(orEmpty(founders));
      members = List.copyOf(orEmpty(members));
    }

    static SpoolReplicas founded(List<Member> members, @Nullable Long foundedIn) {
      return new SpoolReplicas(peerIds(members), peerIds(members), foundedIn);
    }

    SpoolReplicas with(String peer) {
      List<String> all = new ArrayList<>(members);
      all.add(peer);
      return new SpoolReplicas(founders, all, foundedIn);
    }

    SpoolReplicas without(String peer) {
      return new SpoolReplicas(
          founders, members.stream().filter(p -> !p.equals(peer)).toList(), foundedIn);
    }
  }

  /** The file of a node; the founding members alone in that of an older release. */
  private record StoredMap(
      @Nullable Integer version,
      @Nullable String clusterId,
      @Nullable String groupNamespace,
      @Nullable Long revision,
      @Nullable List<Member> members,
      @Nullable List<String> metaFounders,
      @Nullable Map<String, SpoolReplicas> spools) {}

  private static <T> List<T> orEmpty(List<T> list) {
    return Objects.isNull(list) ? List.of() : list; // JSON may leave it out
  }

  /** The map of a cluster that has just been founded. */
  public static ClusterMap founded(
      Formation formation, int replicationFactor, String groupNamespace) {
    Placement placement = new Placement(formation, replicationFactor);
    Map<String, SpoolReplicas> spools = new TreeMap<>();
    for (Member home : formation.members()) {
      spools.put(home.nodeId(), SpoolReplicas.founded(placement.spoolMembers(home), null));
    }
    return new ClusterMap(
        FIRST_VERSION,
        formation.digest(),
        groupNamespace,
        0,
        formation.members(),
        peerIds(placement.metaMembers()),
        spools);
  }

  /**
   * Finds the cluster that the other nodes belong to; empty while no node that is seen belongs to
   * one, or all that do run a release without cluster maps.
   *
   * @throws ClusterStartException when they belong to different clusters, or to one of a newer
   *     release: beside it this node must found none
   */
  public static Optional<ClusterMap> newest(Collection<MemberMetadata> others)
      throws ClusterStartException {
    @Nullable MemberMetadata source = null;
    @Nullable ClusterMap newest = null;
    for (MemberMetadata other : others) {
      ClusterMap map = other.map();
      if (map == null) continue;
      if (map.version > VERSION) {
        throw new ClusterStartException(
            "cluster.seeds: %s belongs to a cluster of a newer release, whose map has version %d and this release reads at most %d; install that release here, too"
                .formatted(other.nodeId(), map.version, VERSION));
      }
      if (map.problem().isPresent()) continue;
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

  /**
   * The same map with another address of its only member. Nobody else knows the former one: no
   * revision is needed.
   *
   * @return empty when there are other members or the address is the same
   */
  public Optional<ClusterMap> withAddress(Member only) {
    boolean moved =
        members.size() == 1
            && revision == 0
            && members.getFirst().peerId().equals(only.peerId())
            && !members.getFirst().equals(only);
    return moved
        ? Optional.of(
            new ClusterMap(
                version, clusterId, groupNamespace, 0, List.of(only), metaFounders, spools))
        : Optional.empty();
  }

  /**
   * The next revision with the present address of a member that has moved; empty when all members
   * that are there have the address of the map. Its directory proves who it is: the peer id is in
   * no other. While its former life is not declared dead, gossip passes nothing of it on. Metadata
   * with an older revision may be of that former life.
   */
  public Optional<ClusterMap> withPresentAddress(
      MemberMetadata self, Collection<Membership.Member> others) {
    return Stream.concat(
            Stream.of(self),
            others.stream().filter(Membership.Member::reachable).map(Membership.Member::metadata))
        .filter(m -> m.map() != null && m.map().clusterId().equals(clusterId))
        .filter(m -> m.map() != null && m.map().revision() == revision)
        .filter(m -> formation().formerAddress(Formation.member(m)).isPresent())
        .min(Comparator.comparing(MemberMetadata::nodeId))
        .map(m -> next(members.stream().map(k -> k.at(m)).toList(), spools));
  }

  /** A plain warning of what a cluster of this size does not survive; empty for odd numbers. */
  public Optional<String> sizeWarning() {
    int nodes = members.size();
    if (nodes == 2) {
      return Optional.of(
          "while one of the two nodes is down, no mail is accepted, though none is lost: add a"
              + " third one");
    }
    return nodes % 2 == 0
        ? Optional.of(
            "%d nodes survive the loss of no more nodes at once than %d do: add one"
                .formatted(nodes, nodes - 1))
        : Optional.empty();
  }

  /** Whether the other map is a later revision of the same cluster's. */
  public boolean isFollowedBy(ClusterMap other) {
    return other.clusterId.equals(clusterId) && other.revision > revision;
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

  /** The members of the spool of this home. */
  public List<Member> spoolMembers(String home) {
    SpoolReplicas replicas = spools.get(home);
    return replicas == null
        ? List.of()
        : replicas.members().stream().flatMap(peer -> findPeer(peer).stream()).toList();
  }

  /**
   * The members with which this member opens the spool for the first time; empty when it joins the
   * group, whose members its leader knows. A founder that starts after another founder was removed,
   * or has given its replica to another member, joins, too: the group has other members now.
   */
  public List<Member> spoolFounders(String home, Member self) {
    SpoolReplicas replicas = spools.get(home);
    if (replicas == null || !replicas.members().containsAll(replicas.founders())) return List.of();
    return founders(replicas.founders(), self);
  }

  /**
   * The name of the spool that no other spool has, before or after it: of its group's id and of its
   * folder.
   */
  public String uniqueSpoolName(String home) {
    SpoolReplicas replicas = spools.get(home);
    Long foundedIn = replicas == null ? null : replicas.foundedIn();
    String name = Placement.spoolGroup(home);
    return foundedIn == null ? name : name + "@" + foundedIn; // no node id has this character
  }

  /** The same for the meta group. */
  public List<Member> metaFounders(Member self) {
    return founders(metaFounders, self);
  }

  private List<Member> founders(List<String> peers, Member self) {
    List<Member> known = peers.stream().flatMap(peer -> findPeer(peer).stream()).toList();
    boolean isFounder = peers.contains(self.peerId());
    return known.size() == peers.size() && isFounder ? known : List.of();
  }

  /**
   * The reason why this node cannot be added. A node id stays with its directory while the node is
   * a member: under the id of another directory a node would claim votes and mail that it does not
   * have.
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

  /** The reason why this node cannot be added yet; it goes away without help. */
  public Optional<String> joinDelay(MemberMetadata node) {
    return find(node.nodeId()).isEmpty() && spools.containsKey(node.nodeId())
        ? Optional.of(
            "an earlier node with the id %s was removed, and its spool still has mail; this node is added as a new one when that is delivered"
                .formatted(node.nodeId()))
        : Optional.empty();
  }

  /**
   * The next revision: with one member more, whose spool is replicated to members that are ready.
   * The new member also gets a replica of every spool that has too few.
   *
   * @param isReady selects the members that can take a replica now
   */
  ClusterMap withMember(Member joined, int replicationFactor, Predicate<Member> isReady) {
    List<Member> ready = members.stream().filter(isReady).toList();
    List<Member> candidates = ready.size() >= replicationFactor - 1 ? ready : members;
    Placement placement = new Placement(formationOf(candidates, joined), replicationFactor);
    Map<String, SpoolReplicas> changed = new TreeMap<>(spools);
    changed.replaceAll(
        (home, replicas) ->
            replicas.members().size() < replicationFactor
                ? replicas.with(joined.peerId())
                : replicas);
    Long foundedIn = version < DISSOLVING_VERSION ? null : revision + 1;
    changed.put(joined.nodeId(), SpoolReplicas.founded(placement.spoolMembers(joined), foundedIn));
    return next(formationOf(members, joined).members(), changed);
  }

  /**
   * The next revision: without a member that is lost for good. Its place in the spools of others
   * and in its own is taken by members that are ready, as far as there are any.
   *
   * @param isReady selects the members that can take a replica now
   */
  ClusterMap withoutMember(Member lost, Predicate<Member> isReady) {
    return without(lost, Optional.empty(), isReady);
  }

  /**
   * The next revision: one member has the places of another one, which is no member any more. In a
   * spool that the first holds already, a member that is ready takes the place.
   *
   * @param isReady selects the members that can take a replica now
   */
  ClusterMap withReplacement(Member former, Member replacement, Predicate<Member> isReady) {
    return without(former, Optional.of(replacement), isReady);
  }

  private ClusterMap without(Member lost, Optional<Member> replacement, Predicate<Member> isReady) {
    List<Member> rest = members.stream().filter(m -> !m.equals(lost)).toList();
    List<Member> ready = rest.stream().filter(isReady).toList();
    Map<String, SpoolReplicas> changed = new TreeMap<>(spools);
    for (Map.Entry<String, SpoolReplicas> spool : changed.entrySet()) {
      if (!spool.getValue().members().contains(lost.peerId())) continue;
      SpoolReplicas remaining = spool.getValue().without(lost.peerId());
      List<Member> present =
          rest.stream().filter(m -> remaining.members().contains(m.peerId())).toList();
      spool.setValue(
          replacement
              .filter(m -> !present.contains(m))
              .or(() -> Placement.replacement(spool.getKey(), present, ready))
              .map(m -> remaining.with(m.peerId()))
              .orElse(remaining));
    }
    return next(rest, changed);
  }

  /** The next revision: a replica of a spool is on another member. */
  ClusterMap withMovedReplica(String home, Member from, Member to) {
    Map<String, SpoolReplicas> changed = new TreeMap<>(spools);
    changed.computeIfPresent(
        home, (id, replicas) -> replicas.without(from.peerId()).with(to.peerId()));
    return next(members, changed);
  }

  /**
   * The next revision: without the spool of a node that was removed, whose replicas have all been
   * closed for good.
   */
  public ClusterMap withoutSpool(String home) {
    if (find(home).isPresent()) throw new IllegalArgumentException(home + " is a member");
    Map<String, SpoolReplicas> changed = new TreeMap<>(spools);
    changed.remove(home);
    return new ClusterMap(
        DISSOLVING_VERSION,
        clusterId,
        groupNamespace,
        revision + 1,
        members,
        metaFounders,
        changed);
  }

  private ClusterMap next(List<Member> nextMembers, Map<String, SpoolReplicas> nextSpools) {
    return new ClusterMap(
        version, clusterId, groupNamespace, revision + 1, nextMembers, metaFounders, nextSpools);
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
    if (version < FIRST_VERSION || version > VERSION)
      return Optional.of("it has the unknown version " + version);
    if (Objects.isNull(clusterId) || Objects.isNull(groupNamespace) || revision < 0)
      return Optional.of("it has no id or revision");
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
    for (Map.Entry<String, SpoolReplicas> spool : spools.entrySet()) {
      List<String> replicas =
          Objects.isNull(spool.getValue()) ? List.of() : spool.getValue().members();
      boolean distinct = new HashSet<>(replicas).size() == replicas.size();
      if (replicas.isEmpty() || !peers.containsAll(replicas) || !distinct) {
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
   * @param groupNamespace by which a node of an older release has opened its groups
   */
  public static Optional<ClusterMap> read(Path file, int replicationFactor, String groupNamespace)
      throws ClusterStartException {
    if (!Files.exists(file)) return Optional.empty();
    try {
      StoredMap stored = JSON.readValue(Files.readString(file), StoredMap.class);
      if (stored == null) throw new IOException("it is empty");
      ClusterMap map = map(stored, replicationFactor, groupNamespace);
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

  private static ClusterMap map(StoredMap stored, int replicationFactor, String groupNamespace)
      throws IOException {
    List<Member> members = stored.members;
    if (members == null || members.isEmpty()) throw new IOException("it has no members");
    if (stored.version == null)
      return founded(new Formation(members), replicationFactor, groupNamespace);
    if (stored.clusterId == null
        || stored.groupNamespace == null
        || stored.revision == null
        || stored.metaFounders == null
        || stored.spools == null) throw new IOException("it is not complete");
    return new ClusterMap(
        stored.version,
        stored.clusterId,
        stored.groupNamespace,
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
