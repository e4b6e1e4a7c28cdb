package org.quorumail.node;

import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.List;
import java.util.OptionalLong;
import org.quorumail.api.ChangeRefusedException;
import org.quorumail.cluster.ConfigHistory;
import org.quorumail.cluster.ConfigVersion;
import org.quorumail.cluster.MemberMetadata;
import org.quorumail.cluster.MetaState;
import org.quorumail.config.Problem;

/**
 * The configuration that the meta group keeps for all nodes: its versions, and the next one.
 * Thread-safe.
 */
public final class ReplicatedConfig {
  private final MetaChanges changes;
  private final ConfigReloader reloader;
  private final Clock clock;

  public ReplicatedConfig(
      ClusterMember member, NodeState state, ConfigReloader reloader, Clock clock) {
    this.changes = new MetaChanges(member, state);
    this.reloader = reloader;
    this.clock = clock;
  }

  /** The versions that the cluster keeps, as far as this node knows. */
  public ConfigHistory history() {
    return changes.state().flatMap(MetaState::configuration).orElse(ConfigHistory.NONE);
  }

  /** The problems of a document on this node; other nodes may have others in their own files. */
  public List<Problem> problems(String toml) {
    return reloader.problems(toml);
  }

  /**
   * Makes a document without problems the next version.
   *
   * @param base the version that the author has changed; empty for whatever is there
   * @throws ChangeRefusedException when another version came first, or nobody can decide
   */
  public ConfigVersion set(String toml, String comment, String author, OptionalLong base) {
    ConfigHistory history = history();
    long present = history.next() - 1;
    if (base.isPresent() && base.getAsLong() != present) {
      throw ChangeRefusedException.conflict(
          "the cluster has version %d, not %d any more: nothing was changed"
              .formatted(present, base.getAsLong()));
    }
    if (changes.state().flatMap(MetaState::configuration).isEmpty()) {
      changes.requireOnAllMembers(MemberMetadata.REPLICATED_CONFIG, "a configuration");
    }
    ConfigVersion next = new ConfigVersion(history.next(), clock.millis(), author, comment, toml);
    byte[] reply = changes.commit(MetaState.configEntry(next));
    if (reply.length == 0) return next;
    throw ChangeRefusedException.conflict(new String(reply, StandardCharsets.UTF_8));
  }
}
