package org.quorumail.admin;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.quorumail.api.ReplicatedConfigView;
import org.quorumail.cluster.ConfigStatus;
import org.quorumail.cluster.ConfigVersion;
import org.quorumail.cluster.MemberMetadata;
import org.quorumail.cluster.Membership;
import org.quorumail.node.ClusterMember;
import org.quorumail.node.ReplicatedConfig;

/** The cluster's configuration as the API shows and changes it. */
public final class ConfigReport implements ReplicatedConfigView {
  private final ClusterMember member;
  private final ReplicatedConfig config;

  public ConfigReport(ClusterMember member, ReplicatedConfig config) {
    this.member = member;
    this.config = config;
  }

  @Override
  public List<Version> history() {
    return config.history().versions().stream().map(ConfigReport::version).toList();
  }

  @Override
  public Optional<Document> document(OptionalLong version) {
    Optional<ConfigVersion> found =
        version.isEmpty() ? config.history().latest() : config.history().find(version.getAsLong());
    return found.map(v -> new Document(v.version(), time(v), v.author(), v.comment(), v.toml()));
  }

  @Override
  public List<String> problems(String toml) {
    return config.problems(toml).stream().map(Object::toString).toList();
  }

  @Override
  public Version set(String toml, String comment, String author, OptionalLong base) {
    return version(config.set(toml, comment, author, base));
  }

  @Override
  public List<NodeVersion> nodeVersions() {
    List<NodeVersion> nodes = new ArrayList<>();
    nodes.add(node(member.metadata()));
    for (Membership.Member other : member.membership().members()) {
      if (other.reachable()) nodes.add(node(other.metadata()));
    }
    nodes.sort(Comparator.comparing(NodeVersion::node));
    return nodes;
  }

  private static NodeVersion node(MemberMetadata metadata) {
    ConfigStatus status = metadata.configStatus();
    return status == null
        ? new NodeVersion(metadata.nodeId(), 0, "its release has no such configuration", List.of())
        : new NodeVersion(
            metadata.nodeId(), status.version(), status.problem(), status.overridden());
  }

  private static Version version(ConfigVersion v) {
    return new Version(v.version(), time(v), v.author(), v.comment());
  }

  private static String time(ConfigVersion v) {
    return Instant.ofEpochMilli(v.time()).truncatedTo(ChronoUnit.SECONDS).toString();
  }
}
