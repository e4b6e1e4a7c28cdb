package org.quorumail.replication;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.UUID;
import org.apache.ratis.protocol.RaftGroupId;

/**
 * A group's name and the members it is founded with. Where the group is on disk already, its own
 * record of the members wins. No members: this node joins a group whose leader will add it.
 */
public record GroupSpec(String name, List<RaftMember> members) {
  public GroupSpec {
    if (name.isBlank()) throw new IllegalArgumentException("a group needs a name");
    members = List.copyOf(members);
  }

  public static GroupSpec joining(String name) {
    return new GroupSpec(name, List.of());
  }

  /** The same on every node without talking: derived from the names of cluster and group. */
  RaftGroupId groupId(String clusterId) {
    String unique = "quorumail/" + clusterId + "/" + name;
    return RaftGroupId.valueOf(UUID.nameUUIDFromBytes(unique.getBytes(StandardCharsets.UTF_8)));
  }
}
