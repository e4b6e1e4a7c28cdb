package org.quorumail.spool;

import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.QueueId;
import org.quorumail.replication.DurableFile;
import org.quorumail.replication.ReplicatedLog;
import org.quorumail.replication.ReplicatedState;

/**
 * All spools of which this node holds a replica, and the way in. A message goes into the node's own
 * spool if the node leads it, else into any that it leads, else through the log to another leader.
 * A message whose commit got no answer is never tried in a second spool, where it could be a
 * duplicate.
 *
 * <p>Threads: sessions block in here; {@link SpoolMaintenance} has threads of its own.
 */
public final class Spools implements Intake, AutoCloseable {
  /** A content up to this size is in the accepting entry. Every chunk but the last has it. */
  static final int CHUNK_BYTES = 256 * 1024;

  /**
   * The most bytes of chunks between sessions and logs, over all sessions. They keep a disk busy,
   * and an accepting entry behind them is still committed soon.
   */
  private static final int CHUNK_BYTES_IN_FLIGHT = 8 << 20;

  private final Settings settings;
  private final Clock clock;
  private final OwnershipListener listener;
  private final StoreMemory memory;
  private final SpoolMetrics metrics;
  private final SpoolMaintenance maintenance;
  private final List<Spool> spools = new CopyOnWriteArrayList<>();
  final Semaphore chunkBytes = new Semaphore(CHUNK_BYTES_IN_FLIGHT, true);
  private final Consumer<Throwable> onFatal;
  private volatile boolean eventsKnown;
  private volatile boolean draining;
  private volatile boolean intakePaused;

  /**
   * @param self this node's id
   * @param hostname the domain of a bare {@code postmaster} (RFC 5321 §4.5.1)
   * @param directory of the databases, one folder per spool; created when missing
   * @param minFree bytes that must stay free on its file system
   * @param eventMaxAge for which events of mail are kept
   * @param eventMaxSize of events, bytes in each replica
   */
  public record Settings(
      String self,
      String hostname,
      Path directory,
      long minFree,
      Duration eventMaxAge,
      long eventMaxSize) {
    /** Settings with the default bounds of events. */
    Settings(String self, String hostname, Path directory, long minFree) {
      this(
          self,
          hostname,
          directory,
          minFree,
          SpoolConfig.EVENT_MAX_AGE,
          SpoolConfig.EVENT_MAX_SIZE);
    }
  }

  private Spools(
      Settings settings,
      Clock clock,
      SpoolMetrics metrics,
      OwnershipListener listener,
      Consumer<Throwable> onFatal) {
    this.settings = settings;
    this.clock = clock;
    this.metrics = metrics;
    this.listener = listener;
    this.onFatal = onFatal;
    memory = new StoreMemory();
    EventRetention events = new EventRetention(settings.eventMaxAge, settings.eventMaxSize, clock);
    maintenance = new SpoolMaintenance(this, settings.minFree, events, clock);
  }

  /**
   * Prepares the directory of the stores. No spool is open yet.
   *
   * @param onFatal gets the damage when a file of a spool does not fit its checksum; the process
   *     must end before it serves a damaged spool
   */
  public static Spools open(
      Settings settings,
      Clock clock,
      MeterRegistry registry,
      OwnershipListener listener,
      Consumer<Throwable> onFatal)
      throws IOException {
    StoreFiles.prepare(settings.directory);
    RocksDbLibrary.load(settings.directory.resolve("native"));
    SpoolMetrics metrics = new SpoolMetrics(registry);
    Spools spools = new Spools(settings, clock, metrics, listener, onFatal);
    metrics.queue(spools::ledCounters);
    spools.watchSpace(settings.directory);
    return spools;
  }

  /** Opens the group that a state belongs to, and with it the state. */
  public interface GroupOpener<E extends Exception> {
    ReplicatedLog open(ReplicatedState state) throws E;
  }

  /**
   * Opens this node's replica of a spool.
   *
   * @param name of the group; also of the folder
   * @param home the node whose spool it is
   */
  public <E extends Exception> Spool open(String name, String home, GroupOpener<E> group) throws E {
    return open(name, name, home, group);
  }

  /**
   * Opens this node's replica of a spool in a folder of another name.
   *
   * @param folder in the directory of the stores; of its own for each spool that ever was
   */
  public <E extends Exception> Spool open(
      String name, String folder, String home, GroupOpener<E> group) throws E {
    requireName(name);
    boolean isHome = home.equals(settings.self);
    var ownership = new SpoolOwnership(name, home, isHome, listener, metrics);
    var store = new SpoolStore(storeDirectory(folder), memory, onFatal);
    var state = new SpoolState(store, ownership, maintenance.space()::applied);
    ReplicatedLog log = group.open(state);
    Spool spool = Spool.start(this, home, isHome, state, ownership, log);
    spools.add(spool);
    return spool;
  }

  private Path storeDirectory(String folder) {
    requireName(folder);
    return settings.directory.resolve(folder);
  }

  private static void requireName(String name) {
    if (!name.matches("[A-Za-z0-9][A-Za-z0-9._@-]*")) {
      throw new IllegalArgumentException("not the name of a spool: " + name);
    }
  }

  /** Ends the use of a spool that is dissolved; called before its group is closed. */
  public void remove(Spool spool) {
    spools.remove(spool);
    spool.close();
  }

  /** Deletes the store of a spool that is dissolved; called when its group is closed. */
  public void deleteStore(String folder) throws IOException {
    StoreFiles.delete(storeDirectory(folder));
    DurableFile.forceDirectory(settings.directory);
  }

  /** Starts the background work; called once all spools are open. */
  public void startMaintenance() {
    maintenance.start();
  }

  /** Messages for which no quorum has answered in time, since the start. */
  public long unansweredCommits() {
    return (long) metrics.unanswered.count();
  }

  /** The mean time from the final dot to the quorum's answer. */
  public double meanCommitMillis() {
    return metrics.commit.mean(TimeUnit.MILLISECONDS);
  }

  public List<Spool> all() {
    return List.copyOf(spools);
  }

  /** Returns the queries about the spools. */
  public SpoolQueries queries() {
    return new SpoolQueries(spools, clock);
  }

  /** Returns the queries about events of mail. */
  public EventQueries events() {
    return new EventQueries(spools);
  }

  /** Returns the commands of an operator. */
  public SpoolCommands commands() {
    return new SpoolCommands(spools, clock);
  }

  /**
   * Also watches another directory's file system for {@code minFree}: the log's. Called before the
   * log is opened, which may need the space of the ballast.
   */
  public void watchSpace(Path directory) throws IOException {
    maintenance.space().watch(directory);
    maintenance.space().prepareOpen();
  }

  @Override
  public Readiness readiness() {
    if (draining || intakePaused) return Readiness.DRAINING;
    if (isDiskFull()) return Readiness.DISK_FULL;
    return target().isPresent() ? Readiness.READY : Readiness.NO_QUORUM;
  }

  @Override
  public MessageWriter newMessage() {
    return new SpoolMessageWriter(this, QueueId.generate(clock.instant()));
  }

  @Override
  public RequestLookup requests(String request) {
    List<String> current = new ArrayList<>();
    List<AcceptedRequest> messages = new ArrayList<>();
    boolean any = false;
    for (Spool spool : spools) {
      if (!spool.store().isOpen()) continue;
      boolean before = spool.isCurrent();
      messages.addAll(spool.store().requests().of(request));
      any = any || spool.store().requests().count() > 0;
      if (before && spool.isCurrent()) current.add(spool.name());
    }
    return new RequestLookup(current, messages, any);
  }

  /** Makes readiness {@code DRAINING}; messages on their way in may still be committed. */
  public void drain() {
    draining = true;
    spools.forEach(Spool::drain);
  }

  /**
   * Called when all members run a release that knows events of mail: from now on they are written.
   */
  public void recordEvents() {
    eventsKnown = true;
  }

  boolean eventsKnown() {
    return eventsKnown;
  }

  /**
   * Makes readiness {@code DRAINING} until {@link #resumeIntake}; messages on their way in may
   * still be committed.
   */
  public void pauseIntake() {
    intakePaused = true;
  }

  public void resumeIntake() {
    intakePaused = false;
  }

  /** Whether a spool with a quorum can be reached, be new mail welcome at the moment or not. */
  public boolean hasQuorum() {
    return target().isPresent();
  }

  /**
   * Ends the maintenance and the ownership of all spools and refuses queued items; called before
   * the logs are closed.
   */
  public void endOwnership() {
    draining = true;
    maintenance.close();
    spools.forEach(Spool::close);
  }

  /** Closes the stores; called after the logs are closed. */
  @Override
  public void close() {
    endOwnership();
    spools.forEach(s -> s.store().close());
    memory.close();
  }

  /** Returns the spool for the next message; empty when no leader is known. */
  Optional<Spool> target() {
    return first(s -> s.isHome() && s.isLeader() && s.canAccept())
        .or(() -> first(s -> s.isLeader() && s.canAccept()))
        .or(() -> first(Spool::canAccept));
  }

  SpoolMetrics metrics() {
    return metrics;
  }

  boolean isDiskFull() {
    return maintenance.space().isFull();
  }

  long nowMillis() {
    return clock.millis();
  }

  /** Returns the message as it is accepted now; all its addresses have a domain. */
  SpooledMessage message(QueueId id, Envelope envelope, long size, Optional<String> holdReason) {
    Envelope qualified = envelope.qualified(settings.hostname);
    return SpooledMessage.accepted(id, qualified, clock.millis(), size, holdReason);
  }

  private Optional<Spool> first(Predicate<Spool> predicate) {
    for (Spool spool : spools) if (predicate.test(spool)) return Optional.of(spool);
    return Optional.empty();
  }

  private SpoolCounters ledCounters() {
    SpoolCounters sum = SpoolCounters.NONE;
    for (Spool spool : spools) if (spool.isLeader()) sum = sum.plus(spool.counters());
    return sum;
  }
}
