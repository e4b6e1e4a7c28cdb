package org.quorumail.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.quorumail.cluster.ClusterEventLog;
import org.quorumail.cluster.ClusterMap;
import org.quorumail.cluster.FormationVote;
import org.quorumail.cluster.MemberMetadata;
import org.quorumail.cluster.Membership;
import org.quorumail.cluster.MetaState;
import org.quorumail.cluster.NodeCertificate;
import org.quorumail.cluster.NodeCredentials;
import org.quorumail.cluster.ReplicaSpread;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.ReversePath;
import org.quorumail.spool.Intake;
import org.quorumail.spool.OwnedSpool;
import org.quorumail.spool.OwnershipListener;
import org.quorumail.upkeep.PeriodicTasks;

/**
 * The members of one cluster in one process: real groups and stores, and the reconcilers that
 * change them. Each sees the others' metadata at once, as if gossip took no time; there is no SMTP.
 */
final class TestMembers implements AutoCloseable {
  static final Duration LONG = Duration.ofMinutes(2);
  private static final String SECRET = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

  private final Path root;
  private final int expect;

  /** Times the minute that {@link ReplicaSpread} waits. */
  private final int hurry;

  private final Map<String, Integer> ports = new HashMap<>();
  private final Map<String, TestMember> running = new ConcurrentSkipListMap<>();
  private final Map<String, MemberMetadata> gone = new ConcurrentSkipListMap<>();
  final ConcurrentLinkedQueue<Throwable> fatal = new ConcurrentLinkedQueue<>();

  /**
   * @param expect the founding nodes
   * @param hurry by how many times a minute of stability is shorter
   */
  TestMembers(Path root, int expect, int hurry) {
    this.root = root;
    this.expect = expect;
    this.hurry = hurry;
  }

  /** Starts nodes side by side, and waits until each can accept mail. */
  void start(String... ids) throws Exception {
    List<Thread> starts = new ArrayList<>();
    for (String id : ids) {
      TestMember member = new TestMember(id);
      running.put(id, member);
      gone.remove(id);
      starts.add(Thread.ofPlatform().name("start-" + id).start(member::openSafely));
    }
    for (Thread start : starts) start.join();
    assertThat(fatal).isEmpty();
    for (String id : ids)
      await()
          .alias(id)
          .atMost(LONG)
          .until(() -> node(id).groups().spools().readiness() == Intake.Readiness.READY);
  }

  /** Ends a node without a word, as a crash does to the others. */
  void stop(String id) {
    TestMember member = Objects.requireNonNull(running.remove(id));
    gone.put(id, member.member.metadata());
    member.close();
  }

  /** Gives a node another port at its next start. */
  void move(String id) throws IOException {
    ports.put(id, freePort());
  }

  TestMember node(String id) {
    return Objects.requireNonNull(running.get(id));
  }

  List<TestMember> nodes() {
    return List.copyOf(running.values());
  }

  Path directory(String id) {
    return root.resolve(id);
  }

  int port(String id) {
    return Objects.requireNonNull(ports.get(id));
  }

  /** The member that leads a group; waits for one. */
  TestMember leader(String group) {
    return await()
        .alias(group)
        .atMost(LONG)
        .until(
            () ->
                running.values().stream()
                    .filter(n -> n.isOpen() && n.groups().ledMembers(group).isPresent())
                    .findFirst(),
            Optional::isPresent)
        .orElseThrow();
  }

  /** The number of replicas that each running member has on its disk. */
  Map<String, Integer> replicas() {
    Map<String, Integer> replicas = new TreeMap<>();
    for (TestMember n : nodes()) replicas.put(n.id, n.groups().spools().all().size());
    return replicas;
  }

  /** Accepts a message at a node. */
  void accept(String id) throws Exception {
    byte[] content = "Subject: a\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
    Envelope envelope =
        new Envelope(
            new ReversePath.Mailbox(new MailAddress("a", "example.com")),
            List.of(new MailAddress("b", "example.org")),
            BodyType.SEVEN_BIT);
    await()
        .atMost(LONG)
        .until(
            () -> {
              try (Intake.MessageWriter writer = node(id).groups().spools().newMessage()) {
                writer.write(content, 0, content.length);
                return writer.commit(envelope) instanceof Intake.CommitResult.Accepted;
              }
            });
  }

  /** The messages in the spools, each counted where it is led. */
  long messages() {
    return nodes().stream()
        .flatMap(n -> n.groups().spools().all().stream())
        .filter(s -> s.isLeader())
        .mapToLong(s -> s.counters().messages())
        .sum();
  }

  @Override
  public void close() {
    List<Thread> closes = new ArrayList<>();
    for (TestMember member : nodes())
      closes.add(Thread.ofPlatform().name("close-" + member.id).start(member::close));
    for (Thread close : closes) {
      try {
        close.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  /** One node. */
  final class TestMember implements AutoCloseable {
    final String id;
    final DataDirectory directory;
    final ClusterMember member;
    private final Config config;
    private final CountDownLatch stopping = new CountDownLatch(1);
    private final PeriodicTasks upkeep = new PeriodicTasks();
    private final AtomicBoolean removed = new AtomicBoolean();
    private volatile @Nullable RaftGroups groups;

    private TestMember(String id) throws Exception {
      this.id = id;
      if (!ports.containsKey(id)) ports.put(id, freePort());
      config =
          Config.standalone(
              root.resolve(id),
              Map.of(
                  "node.id", id,
                  "cluster.enabled", "true",
                  "cluster.expect", String.valueOf(expect),
                  "cluster.secret", SECRET,
                  "cluster.seeds", "127.0.0.1:1",
                  "cluster.bind_address", "127.0.0.1",
                  "cluster.advertise_address", "127.0.0.1",
                  "cluster.raft_port", String.valueOf(port(id)),
                  "spool.min_free", "1MB"));
      directory = DataDirectory.open(root.resolve(id), Optional.of(id));
      FormationVote vote = new FormationVote();
      Optional<ClusterMap> stored =
          ClusterMap.read(
              directory.path().resolve("cluster.json"),
              config.cluster().replicationFactor(),
              ClusterMap.CLUSTER_GROUPS);
      LocalMetadata local =
          new LocalMetadata(
              directory.identity(),
              config.node(),
              config.cluster(),
              vote,
              this::load,
              stored.orElse(null));
      NodeCertificate own =
          NodeCertificate.derive(config.cluster().secret().orElseThrow(), id, Set.of("127.0.0.1"));
      member =
          new ClusterMember(
              config.cluster(),
              directory,
              local,
              vote,
              new ClusterEventLog(),
              Optional.of(new NodeCredentials(own, List.of())),
              new SharedMembership(id));
    }

    private MemberMetadata.NodeLoad load() {
      return new MemberMetadata.NodeLoad("test", groups != null, false, 0, 0, 0, 0, 0, null);
    }

    private void openSafely() {
      try {
        ClusterMap map = member.awaitFormation(stopping).orElseThrow();
        SimpleMeterRegistry meters = new SimpleMeterRegistry();
        RaftGroups open =
            RaftGroups.open(
                config,
                directory,
                member,
                map,
                meters,
                new NoDelivery(),
                MetaState.Listener.NONE,
                fatal::add);
        groups = open;
        MembershipReconciler reconciler =
            new MembershipReconciler(
                open,
                member,
                () -> removed.set(true),
                new ReplicaSpread(() -> System.nanoTime() * hurry));
        upkeep.start("membership-" + id, Duration.ofMillis(100), reconciler::reconcile);
        upkeep.start("home-" + id, Duration.ofMillis(100), () -> returnHome(open));
      } catch (Exception e) {
        fatal.add(e);
      }
    }

    /** Returns spools as the rebalancer does, without attempts to wait for. */
    private void returnHome(RaftGroups open) {
      open.spools().all().stream()
          .filter(s -> !s.isHome() && s.ownedSpool().isPresent())
          .filter(s -> running.containsKey(s.home()))
          .filter(s -> open.obstacleToReturn(s.name(), s.home()).isEmpty())
          .forEach(s -> open.returnToHome(s.name(), s.home()));
    }

    boolean isOpen() {
      return groups != null;
    }

    RaftGroups groups() {
      return Objects.requireNonNull(groups);
    }

    boolean isRemoved() {
      return removed.get();
    }

    List<String> eventTypes() throws InterruptedException {
      return member.events().after(0, Duration.ZERO).stream().map(e -> e.event().type()).toList();
    }

    @Override
    public void close() {
      stopping.countDown();
      upkeep.close();
      RaftGroups open = groups;
      if (open != null) open.close();
      directory.close();
    }
  }

  /** The others as they are; stopped ones are dead. */
  private final class SharedMembership implements Membership {
    private final String self;

    SharedMembership(String self) {
      this.self = self;
    }

    @Override
    public List<Member> members() {
      List<Member> members = new ArrayList<>();
      Set<String> seen = new HashSet<>(Set.of(self));
      running.forEach(
          (id, other) -> {
            if (seen.add(id)) members.add(new Member(other.member.metadata(), Presence.ALIVE, 0));
          });
      gone.forEach(
          (id, last) -> {
            if (seen.add(id)) members.add(new Member(last, Presence.DEAD, 0));
          });
      return members;
    }

    @Override
    public Optional<String> joinFailure() {
      return Optional.empty();
    }

    @Override
    public void close() {}
  }

  private static final class NoDelivery implements OwnershipListener {
    @Override
    public void spoolOwned(OwnedSpool spool) {}

    @Override
    public void spoolLost(OwnedSpool spool) {}

    @Override
    public void messageDue(OwnedSpool spool, QueueId id, List<String> domains) {}
  }
}
