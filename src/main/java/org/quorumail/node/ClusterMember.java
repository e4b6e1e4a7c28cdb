package org.quorumail.node;

import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.quorumail.cluster.ClusterConfig;
import org.quorumail.cluster.ClusterEvent;
import org.quorumail.cluster.ClusterEventLog;
import org.quorumail.cluster.ClusterMap;
import org.quorumail.cluster.ClusterStartException;
import org.quorumail.cluster.ClusterTlsFiles;
import org.quorumail.cluster.ConfigStatus;
import org.quorumail.cluster.Formation;
import org.quorumail.cluster.FormationVote;
import org.quorumail.cluster.GossipConfigMapper;
import org.quorumail.cluster.GossipMembership;
import org.quorumail.cluster.MemberMetadata;
import org.quorumail.cluster.Membership;
import org.quorumail.cluster.NodeCertificate;
import org.quorumail.cluster.NodeCredentials;
import org.quorumail.cluster.PartitionDetector;
import org.quorumail.cluster.StaticMembership;
import org.quorumail.replication.RaftNode;
import org.quorumail.replication.RaftSettings;
import org.quorumail.replication.RaftTls;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This node as a member of the cluster: its credentials, the membership, and the formation. A
 * stand-alone node has the same, with an empty membership and a formation of itself. Thread-safe.
 */
public final class ClusterMember implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ClusterMember.class);
  private static final String FILE = "cluster.json";
  private static final Duration POLL = Duration.ofMillis(200);

  /**
   * The time for which the first node of a cluster looks for one that runs already. Beside it, it
   * would found a second one.
   */
  private static final Duration FIRST_CONTACT = Duration.ofSeconds(3);

  /** The longest wait of a restarted member for another one; a running one answers at once. */
  private static final Duration CONTACT = Duration.ofSeconds(1);

  private static final Duration CONTACT_POLL = Duration.ofMillis(20);

  private final ClusterConfig config;
  private final DataDirectory directory;
  private final LocalMetadata local;
  private final FormationVote vote;
  private final ClusterEventLog events;
  private final Optional<NodeCredentials> credentials;
  private final Membership membership;
  private final PartitionDetector partitionDetector = new PartitionDetector();
  private final long startedNanos = System.nanoTime();

  /** The reason why this node does not ask to be added yet; of the thread that waits. */
  private Optional<String> joinDelay = Optional.empty();

  ClusterMember(
      ClusterConfig config,
      DataDirectory directory,
      LocalMetadata local,
      FormationVote vote,
      ClusterEventLog events,
      Optional<NodeCredentials> credentials,
      Membership membership) {
    this.config = config;
    this.directory = directory;
    this.local = local;
    this.vote = vote;
    this.events = events;
    this.credentials = credentials;
    this.membership = membership;
  }

  /**
   * Joins the membership.
   *
   * @param load this node's figures, read twice a second
   * @throws ClusterStartException when the data directory or the configuration do not fit
   */
  public static ClusterMember start(
      Config config,
      DataDirectory directory,
      Supplier<MemberMetadata.NodeLoad> load,
      MeterRegistry meters)
      throws ClusterStartException {
    ClusterConfig cluster = config.cluster();
    Optional<ClusterMap> stored = storedMap(directory.path(), cluster);
    if (stored.isPresent()) requireFit(stored.get(), cluster, directory.path());
    FormationVote vote = new FormationVote();
    ClusterEventLog events = new ClusterEventLog();
    LocalMetadata local =
        new LocalMetadata(
            directory.identity(), config.node(), cluster, vote, load, stored.orElse(null));
    if (!cluster.enabled()) {
      return new ClusterMember(
          cluster, directory, local, vote, events, Optional.empty(), new NoMembership());
    }
    NodeCertificate own = certificate(cluster, directory.identity().nodeId(), local.host());
    NodeCredentials credentials = new NodeCredentials(own, acceptedAuthorities(cluster));
    Membership membership =
        cluster.secret().isPresent()
            ? GossipMembership.start(
                local,
                events,
                GossipConfigMapper.settings(cluster, local.get(), credentials, directory.path()),
                meters)
            : StaticMembership.start(
                local,
                own.context(),
                verification(cluster),
                cluster.bindAddress(),
                cluster.port(),
                cluster.seeds());
    return new ClusterMember(
        cluster, directory, local, vote, events, Optional.of(credentials), membership);
  }

  private static Optional<ClusterMap> storedMap(Path directory, ClusterConfig cluster)
      throws ClusterStartException {
    try {
      String groups =
          RaftNode.storedClusterId(directory.resolve(DataDirectory.RAFT))
              .orElse(ClusterMap.CLUSTER_GROUPS);
      return ClusterMap.read(directory.resolve(FILE), cluster.replicationFactor(), groups);
    } catch (IOException e) {
      throw ClusterStartException.ofEnvironment(
          "the owner of the replication directory in %s cannot be read (%s)"
              .formatted(directory, e.getMessage()),
          e);
    }
  }

  /**
   * A directory of a member is never taken for one of a stand-alone node. The other way round the
   * configuration must say that this node is the first of its cluster: several that were alone
   * cannot be put together.
   */
  private static void requireFit(ClusterMap stored, ClusterConfig cluster, Path directory)
      throws ClusterStartException {
    boolean isAlone = stored.members().size() == 1;
    if (!isAlone && !cluster.enabled()) {
      throw new ClusterStartException(
          "cluster.enabled: %s belongs to a member of a cluster and holds its share of the mail; enable the cluster or name another directory"
              .formatted(directory));
    }
    if (isAlone && cluster.enabled() && cluster.expect() > 1) {
      throw new ClusterStartException(
          "cluster.expect: %s belongs to a node that was alone; set cluster.expect = 1 to make it the first node of a cluster, or name an empty directory for one that joins another"
              .formatted(directory));
    }
  }

  /**
   * Waits without limit until the cluster is formed, or a running one has added this node; empty
   * when the node stops before.
   */
  public Optional<ClusterMap> awaitFormation(CountDownLatch stopping)
      throws ClusterStartException, IOException, InterruptedException {
    Optional<ClusterMap> known = local.map();
    if (known.isPresent()) {
      if (!mayOpen(known.get(), stopping)) return Optional.empty();
      Formation.Member now = Formation.member(metadata());
      Optional<ClusterMap> moved = known.get().withAddress(now);
      if (moved.isPresent()) {
        moved.get().store(directory.path().resolve(FILE));
        local.moved(moved.get());
        known = moved;
      }
      known.get().formation().formerAddress(now).ifPresent(ClusterMember::logMove);
      warnOfSize(known.get());
      return known;
    }
    long started = System.nanoTime();
    long warnAt = started + config.joinTimeout().toNanos();
    while (true) {
      boolean mayFoundAlone = System.nanoTime() - started > FIRST_CONTACT.toNanos();
      Optional<ClusterMap> formed = form(mayFoundAlone);
      if (formed.isPresent()) {
        adopt(formed.get());
        return formed;
      }
      if (System.nanoTime() - warnAt > 0) {
        reportWait();
        warnAt = System.nanoTime() + config.joinTimeout().toNanos();
      }
      if (stopping.await(POLL.toMillis(), TimeUnit.MILLISECONDS)) return Optional.empty();
    }
  }

  /**
   * Refuses a single member beside another cluster, which first gets a moment to answer.
   *
   * @return false when the node stops before
   */
  private boolean mayOpen(ClusterMap known, CountDownLatch stopping)
      throws ClusterStartException, InterruptedException {
    if (known.members().size() > 1) return true;
    boolean mayBeOthers = credentials.isPresent() && config.hasSeeds();
    if (mayBeOthers && !awaitContact(stopping)) return false;
    requireMembership();
    refuseSecondCluster(known);
    return true;
  }

  /**
   * Gives the other members a moment to answer, since the start of the membership; members that are
   * down hold up the start for no longer.
   *
   * @return false when the node stops before
   */
  private boolean awaitContact(CountDownLatch stopping) throws InterruptedException {
    while (System.nanoTime() - startedNanos < CONTACT.toNanos() && !seesAnyMap()) {
      if (stopping.await(CONTACT_POLL.toMillis(), TimeUnit.MILLISECONDS)) return false;
    }
    return true;
  }

  /**
   * Ends the start of a node that the others have removed. Called when the groups are open, which
   * takes about as long as the first contact; until then the node can neither win a vote nor commit
   * anything. One that learns of its removal later leaves by the reconciler.
   */
  public void requireMembership(CountDownLatch stopping)
      throws ClusterStartException, InterruptedException {
    if (credentials.isEmpty() || local.map().filter(m -> m.members().size() > 1).isEmpty()) return;
    if (awaitContact(stopping)) requireMembership();
  }

  private void requireMembership() throws ClusterStartException {
    Optional<String> removal = removal();
    if (removal.isPresent()) throw new ClusterStartException(removal.get());
  }

  /** A cluster of one beside another one with its secret and name is a mistake. */
  private void refuseSecondCluster(ClusterMap known) throws ClusterStartException {
    for (Membership.Member other : membership.members()) {
      ClusterMap map = other.metadata().map();
      if (map == null || map.clusterId().equals(known.clusterId())) continue;
      throw new ClusterStartException(
          "cluster.seeds: %s belongs to another cluster than this node, which is the only member of its own; to join, name an empty directory; else give each cluster its own cluster.name"
              .formatted(other.metadata().nodeId()));
    }
  }

  private boolean seesAnyMap() {
    return membership.members().stream().anyMatch(m -> m.metadata().map() != null);
  }

  /** The sentence with which this node ends when the others have removed it; empty before. */
  public Optional<String> removal() {
    Optional<ClusterMap> known = local.map();
    if (known.isEmpty()) return Optional.empty();
    String nodeId = directory.identity().nodeId();
    String peerId = directory.identity().peerId();
    return membership.members().stream()
        .flatMap(m -> Stream.ofNullable(m.metadata().map()))
        .filter(map -> known.get().isFollowedBy(map) && map.findPeer(peerId).isEmpty())
        .findFirst()
        .map(
            map ->
                "node.data_directory: %s was removed from the cluster, and the other replicas of its spool have its queue; to use this host again, give it an empty directory"
                    .formatted(nodeId));
  }

  /** Stores a revision of the cluster map, which is then what a restart opens the groups by. */
  void adopt(ClusterMap agreed) throws IOException {
    agreed.store(directory.path().resolve(FILE));
    List<String> members = agreed.members().stream().map(Formation.Member::nodeId).toList();
    if (local.map().isEmpty()) LOG.info("event=cluster_formed members={}", members);
    else LOG.info("event=members_changed revision={} members={}", agreed.revision(), members);
    local.update(agreed);
    warnOfSize(agreed);
  }

  private static void warnOfSize(ClusterMap map) {
    map.sizeWarning()
        .ifPresent(
            reason ->
                LOG.warn(
                    "event=cluster_size_warning members={} reason=\"{}\"",
                    map.members().size(),
                    reason));
  }

  private void reportWait() throws ClusterStartException {
    Optional<String> failure = membership.joinFailure();
    if (failure.isPresent()) throw new ClusterStartException(failure.get());
    if (joinDelay.isPresent()) {
      LOG.warn(
          "event=cluster_join_delayed node={} reason=\"{}\"", metadata().nodeId(), joinDelay.get());
      return;
    }
    if (metadata().joins() != null) {
      LOG.warn(
          "event=cluster_join_waiting seeds={} reason=\"the leader of the cluster has not added"
              + " this node yet: it needs a majority of its nodes, all on a release that can add"
              + " nodes\"",
          config.seeds());
      return;
    }
    LOG.warn(
        "event=cluster_forming expect={} seen={} seeds={}",
        config.expect(),
        membership.members().size() + 1,
        config.seeds());
  }

  private static void logMove(String former) {
    LOG.info(
        "event=cluster_address_changed former={} reason=\"the other nodes follow when gossip has"
            + " found this node\"",
        former);
  }

  public Membership membership() {
    return membership;
  }

  public ClusterEventLog events() {
    return events;
  }

  public PartitionDetector partitionDetector() {
    return partitionDetector;
  }

  /** Publishes an event to all nodes, this one included. */
  void publish(String type, Map<String, String> details) {
    String node = directory.identity().nodeId();
    ClusterEvent event = new ClusterEvent(Instant.now().toString(), node, type, details);
    events.add(event);
    membership.broadcast(event);
  }

  /** Publishes which version of the cluster's configuration this node runs. */
  public void publishConfigStatus(ConfigStatus status) {
    local.configStatus(status);
  }

  /** Uses new secrets for gossip and replication from now on; open connections stay open. */
  public void replaceSecrets(ClusterConfig changed) {
    if (credentials.isEmpty() || changed.secret().isEmpty()) return;
    if (config.tls().isEmpty()) {
      String nodeId = directory.identity().nodeId();
      NodeCertificate own =
          NodeCertificate.derive(changed.secret().get(), nodeId, Set.of(local.host()));
      credentials.get().replace(own, acceptedAuthorities(changed));
    }
    membership.replaceSecrets(changed);
    LOG.info(
        "event=cluster_secrets_changed accepted={}", changed.gossip().acceptedSecrets().size());
  }

  /** The members of the cluster as this node knows them; empty before the formation. */
  public Optional<Formation> formation() {
    return local.map().map(ClusterMap::formation);
  }

  /** The latest revision of the cluster map that this node has stored. */
  Optional<ClusterMap> map() {
    return local.map();
  }

  /** Publishes the revision of the map that all groups have which this node leads. */
  void settled(long revision) {
    local.settled(revision);
  }

  Duration replaceAfter() {
    return config.replaceAfter();
  }

  int replicationFactor() {
    return config.replicationFactor();
  }

  RaftSettings raftSettings(Path raftDirectory, ClusterMap map) {
    String peerId = directory.identity().peerId();
    String groups = map.groupNamespace();
    if (credentials.isEmpty()) return RaftSettings.standAlone(groups, peerId, raftDirectory);
    RaftTls tls =
        new RaftTls.Managers(
            credentials.get().keyManager(),
            credentials.get().trustManager(),
            verification(config) == ClusterTlsFiles.Verification.AUTHORITY
                ? (certificate, requestor) -> true
                : NodeCertificate::isOfPeer);
    return new RaftSettings(
        groups,
        peerId,
        config.bindAddress(),
        config.raftPort(),
        raftDirectory,
        tls,
        config.electionTimeoutMin(),
        config.electionTimeoutMax(),
        RaftSettings.FirstElectionTimeout.IN_CLUSTER,
        config.snapshotInterval(),
        RaftSettings.SNAPSHOT_BYTES);
  }

  /**
   * Returns why the node at a member's address is not that member, or nothing; may take seconds.
   */
  Optional<String> identityProblem(Formation.Member at) {
    boolean mustName = verification(config) != ClusterTlsFiles.Verification.AUTHORITY;
    return at.peerId().equals(directory.identity().peerId())
        ? Optional.empty()
        : credentials.flatMap(
            c -> c.identityProblem(at.host(), at.raftPort(), at.peerId(), mustName));
  }

  /** This node's own metadata, as the other nodes get them. */
  public MemberMetadata metadata() {
    return local.get();
  }

  @Override
  public void close() {
    membership.close();
  }

  private Optional<ClusterMap> form(boolean mayFoundAlone) throws ClusterStartException {
    if (credentials.isEmpty()) return Optional.of(alone());
    Optional<String> conflict = membership.idConflict();
    if (conflict.isPresent()) throw new ClusterStartException(conflict.get());
    List<MemberMetadata> others = others();
    Optional<ClusterMap> running = ClusterMap.newest(others);
    if (running.isPresent()) return join(running.get());
    // metadata that are still on their way may be those of a running cluster
    boolean complete = !membership.awaitsMetadata() && ids(others()).equals(ids(others));
    if (!complete) return Optional.empty();
    if (config.expect() == 1 && others.isEmpty()) {
      return mayFoundAlone ? foundAlone() : Optional.empty();
    }
    return vote.tally(metadata(), others).map(this::founded);
  }

  private List<MemberMetadata> others() {
    return membership.members().stream()
        .filter(m -> m.presence() != Membership.Presence.LEFT)
        .map(Membership.Member::metadata)
        .toList();
  }

  private static Set<String> ids(List<MemberMetadata> nodes) {
    return nodes.stream().map(MemberMetadata::peerId).collect(Collectors.toSet());
  }

  private Optional<ClusterMap> foundAlone() throws ClusterStartException {
    Optional<String> failure = membership.joinFailure();
    if (failure.isPresent()) throw new ClusterStartException(failure.get());
    return Optional.of(alone());
  }

  private ClusterMap alone() {
    return founded(Formation.standalone(Formation.member(metadata())));
  }

  private ClusterMap founded(Formation formation) {
    String groups =
        credentials.isEmpty() ? ClusterMap.STANDALONE_GROUPS : ClusterMap.CLUSTER_GROUPS;
    return ClusterMap.founded(formation, config.replicationFactor(), groups);
  }

  /** Takes over the map that includes this node; asks to be added to one that does not. */
  private Optional<ClusterMap> join(ClusterMap running) throws ClusterStartException {
    MemberMetadata self = metadata();
    if (running.findPeer(self.peerId()).isPresent()) return Optional.of(running);
    Optional<String> problem = running.joinProblem(self);
    if (problem.isPresent()) throw new ClusterStartException(problem.get());
    Optional<String> delay = running.joinDelay(self);
    if (delay.isPresent()) {
      if (!delay.equals(joinDelay))
        LOG.warn("event=cluster_join_delayed node={} reason=\"{}\"", self.nodeId(), delay.get());
      joinDelay = delay;
      return Optional.empty();
    }
    joinDelay = Optional.empty();
    if (!running.clusterId().equals(self.joins())) {
      local.joins(running.clusterId());
      LOG.info(
          "event=cluster_join_requested cluster={} node={} peer={} members={}",
          running.clusterId(),
          self.nodeId(),
          self.peerId(),
          running.members().stream().map(Formation.Member::nodeId).toList());
    }
    return Optional.empty();
  }

  private static List<X509Certificate> acceptedAuthorities(ClusterConfig cluster) {
    if (cluster.tls().isPresent()) return List.of();
    return cluster.gossip().acceptedSecrets().stream().map(NodeCertificate::authority).toList();
  }

  /** Certificates from the secret always name their node. */
  private static ClusterTlsFiles.Verification verification(ClusterConfig cluster) {
    return cluster
        .tls()
        .map(ClusterTlsFiles::verification)
        .orElse(ClusterTlsFiles.Verification.NODE);
  }

  private static NodeCertificate certificate(ClusterConfig cluster, String nodeId, String host)
      throws ClusterStartException {
    if (cluster.tls().isPresent()) return NodeCertificate.read(cluster.tls().get(), nodeId);
    if (cluster.secret().isEmpty()) {
      throw new ClusterStartException(
          "cluster.secret: a member of a cluster needs the secret or cluster.tls; make one with"
              + " 'quorumail cluster secret'");
    }
    return NodeCertificate.derive(cluster.secret().get(), nodeId, Set.of(host));
  }

  /** The membership of a node that stands alone: no other node. */
  private record NoMembership() implements Membership {
    @Override
    public List<Member> members() {
      return List.of();
    }

    @Override
    public Optional<String> joinFailure() {
      return Optional.empty();
    }

    @Override
    public void close() {}
  }
}
