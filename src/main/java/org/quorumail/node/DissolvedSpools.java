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
 * The replicas on this node that are to be deleted since their spools are dissolved. The file
 * {@code dissolved.json} has them from before the node stores the cluster map without them until
 * nothing of them is left. So a crash in between leaves no replica half deleted, and only a map
 * that follows one with the spool can have a replica deleted, never an old map alone. Used by one
 * thread.
 */
final class DissolvedSpools {
  private static final JsonMapper JSON = JsonMapper.shared();
  private static final int VERSION = 1;
  private static final String FILE = "dissolved.json";

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
    Path file = directory.resolve(FILE);
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
        .filter(home -> map.spoolMembers(home).contains(self))
        .filter(home -> !kept.contains(map.uniqueSpoolName(home)))
        .map(
            home ->
                new DissolvedSpool(
                    Placement.spoolGroup(home), map.uniqueSpoolName(home), next.revision()))
        .toList();
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

  /** Called when nothing of the replica is left. */
  void deleted(DissolvedSpool spool) throws IOException {
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
