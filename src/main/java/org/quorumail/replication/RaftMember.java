package org.quorumail.replication;

/** A member of Raft groups with its address. The id never changes; an address may. */
public record RaftMember(String id, String host, int port) {
  public RaftMember {
    if (id.isBlank()) throw new IllegalArgumentException("a peer needs an id");
  }

  String address() {
    return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
  }
}
