package org.quorumail.replication;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.UUID;
import org.apache.ratis.protocol.RaftGroupId;

/**
 * A group's name and its founding members. A group that is on disk already keeps its own record of
 * the members. Without members this node joins a group whose leader will add it.
 *
 * @param uniqueName what the group's id is made of; a group that takes the name of one that was
 *     removed has another
 */
public record GroupSpec(String name, String uniqueName, List<RaftMember> members) {
  public GroupSpec {
    if (name.isBlank()) throw new IllegalArgumentException("a group needs a name");
    members = List.copyOf(members);
  }

  public GroupSpec(String name, List<RaftMember> members) {
    this(name, name, members);
  }

  public static GroupSpec joining(String name) {
    return new GroupSpec(name, List.of());
  }

  /** Returns the id, the same on every node: it is derived from the names of cluster and group. */
  RaftGroupId groupId(String clusterId) {
    String unique = "quorumail/" + clusterId + "/" + uniqueName;
    return RaftGroupId.valueOf(UUID.nameUUIDFromBytes(unique.getBytes(StandardCharsets.UTF_8)));
  }
}
