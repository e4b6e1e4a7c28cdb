package org.quorumail.cluster;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** The last versions of the cluster's configuration, oldest first. Immutable. */
public record ConfigHistory(List<ConfigVersion> versions) {
  /** Some months of an ordinary cluster. */
  static final int MAX_VERSIONS = 50;

  /** The bound of all versions together: each node has them in memory. */
  static final int MAX_BYTES = 1 << 20;

  public static final ConfigHistory NONE = new ConfigHistory(List.of());

  public ConfigHistory {
    versions = Objects.isNull(versions) ? List.of() : List.copyOf(versions); // JSON may lack it
  }

  /** The version in force; empty before the first. */
  public Optional<ConfigVersion> latest() {
    return versions.isEmpty() ? Optional.empty() : Optional.of(versions.getLast());
  }

  public Optional<ConfigVersion> find(long version) {
    return versions.stream().filter(v -> v.version() == version).findFirst();
  }

  /** The number of the next version. */
  public long next() {
    return latest().map(ConfigVersion::version).orElse(0L) + 1;
  }

  /** The history with one more version; the oldest ones go when there are too many. */
  ConfigHistory with(ConfigVersion version) {
    List<ConfigVersion> kept = new ArrayList<>(versions);
    kept.add(version);
    long bytes = kept.stream().mapToLong(ConfigVersion::bytes).sum();
    while (kept.size() > 1 && (kept.size() > MAX_VERSIONS || bytes > MAX_BYTES)) {
      bytes -= kept.removeFirst().bytes();
    }
    return new ConfigHistory(kept);
  }
}
