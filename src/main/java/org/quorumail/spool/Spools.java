package org.quorumail.spool;

import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.Recipient;
import org.quorumail.spool.SpoolEntry.NewMessage;

/**
 * All spools that this node holds a replica of, and the way in: a message goes into the node's own
 * spool if it leads it, else into any that it leads, else through the log to the leader of another.
 * It is never tried in a second spool after an answer that leaves it open whether the first one has
 * it.
 *
 * <p>Threads: sessions block in here; two virtual threads look after disk space and old uploads.
 */
public final class Spools implements Intake, AutoCloseable {
  /** A content up to this size is in the accepting entry. Every chunk but the last has it. */
  static final int CHUNK_BYTES = 256 * 1024;

  /**
   * Chunks between sessions and logs, over all sessions: enough to keep a disk busy, and little
   * enough that an accepting entry behind them is committed soon.
   */
  private static final int CHUNK_BYTES_IN_FLIGHT = 8 << 20;

  private final Settings settings;
  private final Clock clock;
  private final OwnershipListener listener;
  private final StoreMemory memory;
  private final SpoolMetrics meters;
  private final SpoolMaintenance upkeep;
  private final List<Spool> spools = new CopyOnWriteArrayList<>();
  final Semaphore chunkBytes = new Semaphore(CHUNK_BYTES_IN_FLIGHT, true);
  private final Consumer<Throwable> onFatal;
  private volatile boolean draining;

  /**
   * @param self this node's id
   * @param hostname the domain of a bare {@code postmaster} (RFC 5321 §4.5.1)
   * @param directory of the databases, one folder per spool; created if need be
   * @param minFree bytes that must stay free on its file system
   */
  public record Settings(String self, String hostname, Path directory, long minFree) {}

  /** Without anybody who hears of damage: for tests. */
  Spools(Settings settings, Clock clock, MeterRegistry registry, OwnershipListener listener)
      throws IOException {
    this(settings, clock, registry, listener, damage -> {});
  }

  /**
   * @param onFatal told when a file of a spool does not fit its checksum; the process must end
   *     before it serves what it cannot trust
   */
  public Spools(
      Settings settings,
      Clock clock,
      MeterRegistry registry,
      OwnershipListener listener,
      Consumer<Throwable> onFatal)
      throws IOException {
    this.onFatal = onFatal;
    this.settings = settings;
    this.clock = clock;
    this.listener = listener;
    StoreFiles.prepare(settings.directory);
    RocksDbLibrary.load(settings.directory.resolve("native"));
    memory = new StoreMemory();
    meters = new SpoolMetrics(registry);
    meters.queue(this::ledCounters);
    upkeep = new SpoolMaintenance(this, settings.directory, settings.minFree, clock);
    upkeep.start();
  }

  /**
   * Adds the replica of a group. Its {@link Spool#state} is opened by the replication, whose log is
   * then given to {@link Spool#attach}.
   *
   * @param name of the group; also of the folder
   * @param home the node whose spool it is
   */
  public Spool add(String name, String home) {
    if (!name.matches("[A-Za-z0-9][A-Za-z0-9._-]*")) {
      throw new IllegalArgumentException("not the name of a spool: " + name);
    }
    Path directory = settings.directory.resolve(name);
    Spool spool =
        new Spool(name, home, settings.self, directory, memory, listener, meters, onFatal);
    spools.add(spool);
    return spool;
  }

  public List<Spool> all() {
    return List.copyOf(spools);
  }

  /** Questions about what is in the spools. */
  public SpoolQueries queries() {
    return new SpoolQueries(spools, clock);
  }

  /** Orders of an operator. */
  public SpoolCommands commands() {
    return new SpoolCommands(spools, clock);
  }

  /** Has another directory's file system watched for {@code minFree} as well: the log's. */
  public void watchSpace(Path directory) {
    upkeep.watchSpace(directory);
  }

  @Override
  public Readiness readiness() {
    if (draining) return Readiness.DRAINING;
    if (upkeep.isDiskFull()) return Readiness.DISK_FULL;
    return target().isPresent() ? Readiness.READY : Readiness.NO_QUORUM;
  }

  @Override
  public MessageWriter newMessage() {
    return new SpoolMessageWriter(this, QueueId.generate(clock.instant()));
  }

  /** From now on readiness is {@code DRAINING}; what is being received may still be committed. */
  public void drain() {
    draining = true;
  }

  /** Ends ownership of all spools and refuses what waits. Before the logs are closed. */
  public void endOwnership() {
    draining = true;
    spools.forEach(Spool::close);
  }

  /** Closes what is left. After the logs are closed. */
  @Override
  public void close() {
    endOwnership();
    upkeep.close();
    spools.forEach(s -> s.store().close());
    memory.close();
  }

  /** Where the next message goes; empty when there is no leader to be seen. */
  Optional<Spool> target() {
    return first(s -> s.isHome() && s.isLeader() && s.canAccept())
        .or(() -> first(s -> s.isLeader() && s.canAccept()))
        .or(() -> first(Spool::canAccept));
  }

  /** Messages for which no quorum answered in time, since the start. */
  public long unanswered() {
    return (long) meters.unanswered.count();
  }

  /** The mean time from the final dot to the answer of the quorum; 0 before the first. */
  public double meanCommitMillis() {
    return meters.commit.mean(TimeUnit.MILLISECONDS);
  }

  SpoolMetrics meters() {
    return meters;
  }

  boolean isDiskFull() {
    return upkeep.isDiskFull();
  }

  long nowMillis() {
    return clock.millis();
  }

  /** A message whose recipients all have a domain, as it is accepted now. */
  SpooledMessage message(QueueId id, Envelope envelope, long size, Optional<String> holdReason) {
    return SpooledMessage.accepted(id, qualified(envelope), clock.millis(), size, holdReason);
  }

  /**
   * Blocks until a quorum has the message.
   *
   * @return false when it is not in the spool
   * @throws IOException when it is not known to be
   */
  boolean commit(Spool spool, NewMessage message, CommitDeadline patience) throws IOException {
    long begun = System.nanoTime();
    CompletableFuture<ApplyResult> pending = null;
    try {
      pending = spool.accept(message, patience.currentNanos());
      ApplyResult answer = patience.await(pending);
      spool.answered(true);
      if (answer != ApplyResult.DONE) return false;
      meters.commit.record(System.nanoTime() - begun, TimeUnit.NANOSECONDS);
      meters.bytes.increment((double) message.message().size());
      return true;
    } catch (ExecutionException | TimeoutException e) {
      if (pending != null) pending.cancel(false);
      spool.answered(false);
      meters.unanswered.increment();
      throw new IOException("no quorum of " + spool.name() + " answered in time", e);
    } catch (InterruptedException e) {
      if (pending != null) pending.cancel(false);
      Thread.currentThread().interrupt();
      throw new IOException("the node is stopping", e);
    }
  }

  /** Every recipient in the spool has a domain: a bare postmaster is the one of this host. */
  private Envelope qualified(Envelope envelope) {
    if (envelope.recipients().stream().noneMatch(Spools::isBare)) return envelope;
    List<Recipient> recipients =
        envelope.recipients().stream()
            .map(
                r ->
                    isBare(r)
                        ? r.withAddress(new MailAddress(r.address().localPart(), settings.hostname))
                        : r)
            .toList();
    return new Envelope(envelope.reversePath(), recipients, envelope.options());
  }

  private static boolean isBare(Recipient recipient) {
    return recipient.address().domain().isEmpty();
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
