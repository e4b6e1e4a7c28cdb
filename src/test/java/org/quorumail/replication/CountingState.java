package org.quorumail.replication;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** A toy state: how often each entry was applied. Its own file is written at snapshots only. */
final class CountingState implements ReplicatedState {
  static final String POISON = "poison";

  /** Far more files than a sender has unanswered at once. */
  static final int SNAPSHOT_PARTS = 30;

  static final byte UNREADABLE = (byte) 0xFF;

  private final Path file;
  private final Map<String, Integer> counts = new TreeMap<>();
  private volatile LogPosition applied = LogPosition.NONE;
  private volatile Optional<Leadership> led = Optional.empty();
  private volatile int installs;
  private volatile int snapshots;

  CountingState(Path directory) {
    this.file = directory.resolve("counts");
  }

  @Override
  public synchronized void open() throws IOException {
    if (Files.exists(file)) load(file);
  }

  @Override
  public LogPosition applied() {
    return applied;
  }

  @Override
  public void check(ByteBuffer entry) throws IOException {
    if (entry.get(0) == UNREADABLE) throw new IOException("an entry that cannot be read");
  }

  @Override
  public synchronized byte[] apply(LogPosition position, ByteBuffer entry) throws IOException {
    String key = StandardCharsets.UTF_8.decode(entry).toString();
    if (key.equals(POISON)) throw new IOException("cannot apply poison");
    if (key.length() > 64) key = key.substring(0, 64);
    int count = counts.merge(key, 1, Integer::sum);
    applied = position;
    return Integer.toString(count).getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public synchronized void skip(LogPosition position) {
    applied = position;
  }

  @Override
  public synchronized LogPosition snapshot(Path directory) throws IOException {
    save(file);
    Files.createDirectory(directory.resolve("inner"));
    Files.createFile(directory.resolve("inner").resolve("empty"));
    for (int part = 0; part < SNAPSHOT_PARTS; part++)
      Files.write(directory.resolve("inner").resolve("part-" + part), new byte[] {1});
    save(directory.resolve("counts"));
    snapshots++;
    return applied;
  }

  @Override
  public synchronized void install(Path directory) throws IOException {
    if (!Files.exists(directory.resolve("inner").resolve("empty")))
      throw new IOException("the snapshot is incomplete");
    Files.copy(directory.resolve("counts"), file, StandardCopyOption.REPLACE_EXISTING);
    load(file);
    installs++;
  }

  @Override
  public void becomeLeader(Leadership leadership) {
    led = Optional.of(leadership);
  }

  @Override
  public void becomeFollower() {
    led = Optional.empty();
  }

  @Override
  public void close() {}

  synchronized int count(String key) {
    return counts.getOrDefault(key, 0);
  }

  synchronized Map<String, Integer> counts() {
    return new TreeMap<>(counts);
  }

  Optional<Leadership> led() {
    return led;
  }

  int installs() {
    return installs;
  }

  int snapshots() {
    return snapshots;
  }

  private void save(Path to) throws IOException {
    try (var out = new DataOutputStream(Files.newOutputStream(to))) {
      out.writeLong(applied.term());
      out.writeLong(applied.index());
      out.writeInt(counts.size());
      for (var count : counts.entrySet()) {
        out.writeUTF(count.getKey());
        out.writeInt(count.getValue());
      }
    }
    try (var channel = FileChannel.open(to, StandardOpenOption.WRITE)) {
      channel.force(true);
    }
  }

  private void load(Path from) throws IOException {
    try (var in = new DataInputStream(Files.newInputStream(from))) {
      applied = new LogPosition(in.readLong(), in.readLong());
      counts.clear();
      int size = in.readInt();
      for (int i = 0; i < size; i++) counts.put(in.readUTF(), in.readInt());
    }
  }
}
