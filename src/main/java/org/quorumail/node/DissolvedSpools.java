package org.quorumail.node;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.quorumail.cluster.ClusterMap;
import org.quorumail.cluster.Formation;
import org.quorumail.cluster.Placement;
import org.quorumail.replication.DurableFile;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * The replicas on this node that are to be deleted. The file {@code dissolved.json} has those of
 * spools that are dissolved, and those that nobody counts on any more; {@code moved.json} has those
 * that another member has got, until their groups have removed this node. A file has them from
 * before the node stores the cluster map without them until nothing of them is left. So a crash in
 * between leaves no replica half deleted, and only a map that follows one with the replica can have
 * it deleted, never an old map alone. Used by one thread.
 */
final class DissolvedSpools {
  private static final JsonMapper JSON = JsonMapper.shared();
  private static final int VERSION = 1;
  private static final String DISSOLVED = "dissolved.json";
  private static final String MOVED = "moved.json";

  private final Path file;
  private final List<DissolvedSpool> pending;

  /**
   * A replica that is to be deleted.
   *
   * @param name of the group
   * @param uniqueName of the group's id and of the folder of the store
   * @param revision of the first map without the spool
   */
  record DissolvedSpool(String name, String uniqueName, long revision) {}

  private record Stored(int version, List<DissolvedSpool> spools) {}

  private DissolvedSpools(Path file, List<DissolvedSpool> pending) {
    this.file = file;
    this.pending = new ArrayList<>(pending);
  }

  /**
   * Reads what the last run of the node has left.
   *
   * @param stored the map on this node's disk; a later one was not stored before a crash
   */
  static DissolvedSpools open(Path directory, ClusterMap stored) throws IOException {
    return read(directory.resolve(DISSOLVED), stored);
  }

  /** Reads the same of replicas that other members have got. */
  static DissolvedSpools openMoved(Path directory, ClusterMap stored) throws IOException {
    return read(directory.resolve(MOVED), stored);
  }

  private static DissolvedSpools read(Path file, ClusterMap stored) throws IOException {
    if (!Files.exists(file)) return new DissolvedSpools(file, List.of());
    try {
      Stored read = JSON.readValue(Files.readAllBytes(file), Stored.class);
      if (read.version != VERSION) throw new IOException("it has the version " + read.version);
      return new DissolvedSpools(
          file, read.spools.stream().filter(s -> s.revision <= stored.revision()).toList());
    } catch (JacksonException | IOException e) {
      throw new IOException("%s cannot be read: %s".formatted(file, e.getMessage()), e);
    }
  }

  /** The spools that this member holds by a map and that are not in a later one. */
  static List<DissolvedSpool> between(ClusterMap map, ClusterMap next, Formation.Member self) {
    List<String> kept = next.spools().keySet().stream().map(next::uniqueSpoolName).toList();
    return map.spools().keySet().stream()
        .filter(home -> holds(map, home, self))
        .filter(home -> !kept.contains(map.uniqueSpoolName(home)))
        .map(
            home ->
                new DissolvedSpool(
                    Placement.spoolGroup(home), map.uniqueSpoolName(home), next.revision()))
        .toList();
  }

  /**
   * The replicas of spools that this member holds by a map, and that a later one gives to others.
   */
  static List<DissolvedSpool> movedAway(ClusterMap map, ClusterMap next, Formation.Member self) {
    return map.spools().keySet().stream()
        .filter(home -> holds(map, home, self) && !holds(next, home, self))
        .filter(home -> next.spools().containsKey(home))
        .filter(home -> map.uniqueSpoolName(home).equals(next.uniqueSpoolName(home)))
        .map(
            home ->
                new DissolvedSpool(
                    Placement.spoolGroup(home), map.uniqueSpoolName(home), next.revision()))
        .toList();
  }

  private static boolean holds(ClusterMap map, String home, Formation.Member self) {
    return map.spoolMembers(home).stream().anyMatch(self::isSame);
  }

  List<DissolvedSpool> pending() {
    return List.copyOf(pending);
  }

  /** Adds replicas, and has them on disk before the return. */
  void add(List<DissolvedSpool> spools) throws IOException {
    for (DissolvedSpool spool : spools) {
      if (pending.stream().noneMatch(p -> p.uniqueName.equals(spool.uniqueName)))
        pending.add(spool);
    }
    if (!spools.isEmpty()) write();
  }

  /** Forgets a replica of which nothing is left, or which stays. */
  void remove(DissolvedSpool spool) throws IOException {
    pending.remove(spool);
    write();
  }

  private void write() throws IOException {
    if (pending.isEmpty()) {
      Files.deleteIfExists(file);
      DurableFile.forceDirectory(file.resolveSibling("."));
    } else {
      DurableFile.replace(file, JSON.writeValueAsBytes(new Stored(VERSION, pending)));
    }
  }
}
